"""Exceptions that a task raises to decide what happens next."""

from math import isfinite


class Retry(Exception):
    """Ask for another attempt, if one is left, after `delay` seconds or after the usual backoff."""

    def __init__(self, why: str = "the task asked for another attempt", *, delay: float | None = None) -> None:
        if not isinstance(why, str):
            raise TypeError(
                f"the reason is {why!r}: it must be a string, as in Retry('busy', delay=30), or absent: Retry(delay=30)"
            )
        if delay is not None and not (isfinite(delay) and delay >= 0):
            raise ValueError(f"delay is {delay!r}: it must be a number of seconds, 0 or more")
        super().__init__(why)
        self.delay = delay


class Discard(Exception):
    """Fail the task for good, even if attempts are left."""
