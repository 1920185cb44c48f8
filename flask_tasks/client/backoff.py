"""Exponential backoff with jitter between retries."""

import random
from collections.abc import Iterator
from typing import Protocol

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 10.0
MAX_SECONDS = 120.0  # total time after which no retry begins


class Clock(Protocol):
    """A clock that can sleep. The module `time` is one."""

    def monotonic(self) -> float:
        """Return the seconds since a fixed time."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Wait for this number of seconds."""
        ...


def pauses(retries: int, clock: Clock) -> Iterator[float]:
    """Yield the seconds to wait before each retry, at most `retries` times."""
    end = clock.monotonic() + MAX_SECONDS
    for nth in range(retries):
        if clock.monotonic() > end:
            return
        yield min(FIRST_PAUSE_SECONDS * 2**nth, MAX_PAUSE_SECONDS) * random.uniform(0.5, 1)
