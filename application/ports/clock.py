"""The clock of the application."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Shows the same time on all hosts."""

    def now(self) -> datetime:
        """The present moment, UTC-aware."""
        ...

    def monotonic(self) -> float:
        """Seconds since a fixed moment, never decreasing. For durations within one process."""
        ...
