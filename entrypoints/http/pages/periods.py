"""The period that a page shows: the steps that are over, which do not change any more, and what has come since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import request

from application.ports.statistics import MINUTE
from application.use_cases.view_statistics import (
    COMMIT_DELAY,
    EPOCH,
    Series,
    Statistics,
    StatisticsRequest,
    ViewStatistics,
)
from domain.event import Event
from domain.ids import TypeName

PERIODS = {"hour": (timedelta(hours=1), MINUTE), "day": (timedelta(days=1), MINUTE * 15)}
"""Length and step of each period, by its word in the address. The first one is the default."""


@dataclass(frozen=True, slots=True)
class SeenPeriod:
    """The statistics of a period.

    - `name`: its word in the address.
    - `over`: those of the steps that are over.
    - `current`: those of the time since.
    """

    name: str
    over: Statistics
    current: Statistics

    def series(self, type: TypeName) -> Sequence[Series]:
        """The series of one type, those of the steps that are over first. Fewer than two where it had no event."""
        return [each.types[type] for each in (self.over, self.current) if type in each.types]

    def number(self, event: Event) -> int:
        """The number of these events of all types."""
        return self.over.total.number(event) + self.current.total.number(event)


def view_period(view: ViewStatistics, now: datetime) -> SeenPeriod:
    """View the period that the address names, up to now."""
    name = asked_period()
    length, step = PERIODS[name]
    end = now - COMMIT_DELAY
    end -= (end - EPOCH) % step
    over = view(StatisticsRequest(since=end - length, until=end, step=step))
    return SeenPeriod(name, over, view(StatisticsRequest(since=end, until=now, step=step)))


def asked_period() -> str:
    """The period that the address names; the first one if it names none."""
    asked = request.args.get("period", "")
    return asked if asked in PERIODS else next(iter(PERIODS))
