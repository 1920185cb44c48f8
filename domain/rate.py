"""A limit of how often something happens: tasks of a type start, or a sender makes requests."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor

MAX_BURST = 1_000_000
MIN_PER_SECOND, MAX_PER_SECOND = 1e-6, 1e5


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit: in no span of w seconds more than `burst + per_second * w`.

    The past is remembered as one moment, the next regular one: the generic cell rate algorithm. It lies ahead of the
    present by at most `burst` intervals.
    """

    per_second: float
    burst: int

    def allowed(self, next: datetime, now: datetime) -> int:
        """How many are allowed now, from 0 to `burst`."""
        ahead = max((next - now).total_seconds(), 0) * self.per_second
        # Half a microsecond is lost where a moment is rounded.
        return max(floor(self.burst - ahead + 1e-6 * self.per_second), 0)

    def after(self, next: datetime, now: datetime, number: int) -> datetime:
        """The next regular moment after so many have happened now."""
        return max(next, now) + timedelta(microseconds=ceil(number / self.per_second * 1e6))

    def seconds_until_next(self, next: datetime, now: datetime) -> float:
        """Seconds until another one is allowed; 0 if one is now."""
        return max((next - now).total_seconds() - (self.burst - 1) / self.per_second, 0)

    def within_reach(self, next: datetime, now: datetime) -> datetime:
        """The next regular moment, but no later than it could have been moved: a clock may have been set back."""
        # The difference, since the moment itself may lie beyond the years that there are.
        return now + min(next - now, timedelta(seconds=self.burst / self.per_second))
