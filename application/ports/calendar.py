"""The calendar: when the ticks of a schedule are."""

from datetime import datetime
from typing import Protocol

from domain.schedule import Schedule


class Calendar(Protocol):
    """Knows the crontab, the zones, and when their clocks change."""

    def next_after(self, schedule: Schedule, moment: datetime) -> datetime:
        """The first tick that is later than the moment, in UTC. InvalidSchedule says why there is none.

        A time of day that the clocks skip is where they go on; one that comes twice is the first of them. Where minutes
        or hours begin with `*`, what is skipped is left out, and what comes twice counts twice.
        """
        ...
