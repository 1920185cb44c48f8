"""What a task raises to say itself what comes next."""

from math import isfinite


class Retry(Exception):
    """Start this task again, if it has an attempt left: after `delay` seconds, or when the backoff says so."""

    def __init__(self, why: str = "the task asked for another start", *, delay: float | None = None) -> None:
        if not isinstance(why, str):
            raise TypeError(f"Retry({why!r}) takes a reason first: Retry(delay=30), or Retry('busy', delay=30)")
        if delay is not None and not (isfinite(delay) and delay >= 0):
            raise ValueError(f"delay is {delay!r}: it takes seconds, 0 or more")
        super().__init__(why)
        self.delay = delay


class Discard(Exception):
    """This task has failed for good, whatever attempts it has left."""
