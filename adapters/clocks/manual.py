"""A clock that stands still until a test moves it, so that no test has to sleep."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class ManualClock:
    """Implements application.ports.clock.Clock."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def set(self, now: datetime) -> None:
        """Set the time of day. The monotonic clock stays."""
        self._now = now

    def move(self, seconds: float) -> None:
        """Move both clocks on by that many seconds."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
