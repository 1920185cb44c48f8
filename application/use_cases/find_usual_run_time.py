"""Find the usual run time of a type: how long its last successful runs took."""

from dataclasses import dataclass
from datetime import timedelta

from application.cached import CachedByKey
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from domain.event import Event
from domain.histogram import MEDIAN, quantile
from domain.ids import TypeName

RUNS = 200
"""Number of the latest runs that are looked at, or a few more."""
PERIOD = timedelta(days=1)
"""Age of the oldest run that is looked at."""
CACHED_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class UsualRunTime:
    """The median of the run times of some successful runs in seconds, and their number."""

    median: float
    runs: int


class FindUsualRunTime:
    """Finds the usual run time of a type from the counts of events; those of one type at most once in ten seconds."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._cached = CachedByKey(self._read, clock, lambda _: CACHED_SECONDS)

    def __call__(self, type: TypeName) -> UsualRunTime | None:
        """The usual run time; None if no run of the last day was successful."""
        return self._cached(type)

    def _read(self, type: TypeName) -> UsualRunTime | None:
        since = self._clock.now() - PERIOD
        with self._begin() as work:
            buckets = work.statistics.latest_buckets(type, Event.DONE, since, RUNS)
        median = quantile(buckets, MEDIAN)
        return None if median is None else UsualRunTime(median, sum(buckets.values()))
