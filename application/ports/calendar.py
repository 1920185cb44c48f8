"""The calendar: computes the ticks of a schedule."""

from datetime import datetime
from typing import Protocol

from domain.schedule import Schedule


class Calendar(Protocol):
    """Knows the rules of crontabs, the time zones, and the changes of their clocks."""

    def next_after(self, schedule: Schedule, moment: datetime) -> datetime:
        """The first tick later than the moment, in UTC.

        A time of day that the clocks skip is moved to the end of the gap; one that comes twice ticks the first time. If
        the minutes or the hours begin with `*`, a skipped time has no tick, and one that comes twice has two.

        Raises InvalidSchedule: the schedule cannot be read, or never ticks.
        """
        ...
