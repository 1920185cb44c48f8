"""Exceptions that a task raises to decide what happens next."""

from math import isfinite
from numbers import Real
from typing import Any

MAX_DELAY_SECONDS = 10 * 365 * 86_400


def check_delay(delay: Any) -> float:
    """The delay as a float. Raises TypeError, ValueError: it is none."""
    if isinstance(delay, bool) or not isinstance(delay, Real):
        raise TypeError(f"delay is {delay!r}: it must be a number of seconds, from 0 to {MAX_DELAY_SECONDS}")
    seconds = float(delay)
    if not (isfinite(seconds) and 0 <= seconds <= MAX_DELAY_SECONDS):
        raise ValueError(f"delay is {delay!r}: it must be a number of seconds, from 0 to {MAX_DELAY_SECONDS}")
    return seconds


class Retry(Exception):
    """Ask for another attempt, if one is left, after `delay` seconds or after the usual backoff."""

    def __init__(self, why: str = "the task asked for another attempt", *, delay: float | None = None) -> None:
        if not isinstance(why, str):
            raise TypeError(
                f"the reason is {why!r}: it must be a string, as in Retry('busy', delay=30), or absent: Retry(delay=30)"
            )
        super().__init__(why)
        self.delay = None if delay is None else check_delay(delay)


class Discard(Exception):
    """Fail the task for good, even if attempts are left."""
