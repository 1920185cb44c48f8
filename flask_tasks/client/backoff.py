"""How long to wait before trying again: ever longer, and not all who wait at the same moment."""

import random
from collections.abc import Iterator
from typing import Protocol

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 10.0
MAX_SECONDS = 120.0
"""Seconds after which nothing is tried again, however often it was."""


class Clock(Protocol):
    """What passes while somebody waits. The module `time` is one."""

    def monotonic(self) -> float:
        """Seconds from some fixed moment."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Let them pass."""
        ...


def pauses(retries: int, clock: Clock) -> Iterator[float]:
    """Seconds before each of so many retries."""
    end = clock.monotonic() + MAX_SECONDS
    for nth in range(retries):
        if clock.monotonic() > end:
            return
        yield min(FIRST_PAUSE_SECONDS * 2**nth, MAX_PAUSE_SECONDS) * random.uniform(0.5, 1)
