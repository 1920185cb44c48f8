"""The time, as the application asks for it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """One time for all hosts."""

    def now(self) -> datetime:
        """The present moment, UTC-aware."""
        ...

    def monotonic(self) -> float:
        """Seconds from some fixed moment; never goes back. For durations within a process."""
        ...
