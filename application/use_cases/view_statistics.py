"""View statistics: the events of a period by type and step, with how long tasks waited and ran."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Self

from application.cached import CachedByKey
from application.errors import InvalidPeriod
from application.ports.clock import Clock
from application.ports.statistics import MINUTE, EventCount, EventCounts
from application.ports.unit_of_work import Begin
from domain.event import Event
from domain.histogram import MEDIAN, Buckets, merged, quantile
from domain.ids import TypeName

MAX_STEPS = 1500
DEFAULT_PERIOD = timedelta(hours=1)
DEFAULT_STEPS = tuple(MINUTE * minutes for minutes in (1, 5, 15, 60, 240, 1440))
MAX_DEFAULT_STEPS = 360
"""Number of steps above which a longer default step is taken: a day has 288 of five minutes."""
PERIOD_PER_CACHED_SECOND = timedelta(minutes=48)
"""Length of a period for each second that its statistics are cached: those of a day for 30 s."""
MIN_CACHED_SECONDS, MAX_CACHED_SECONDS = 2.0, 60.0
COMMIT_DELAY = timedelta(seconds=3)
"""Time after a period within which transactions may commit that began in it."""
MAX_OVER_CACHED_SECONDS = 900.0
"""Seconds for which the statistics of a period are cached that is over: for one of its steps, but no longer."""
RUN_ENDS = (Event.DONE, Event.FAILED)
"""Events whose durations are run times. A cancelled task is no measure of its function."""
UNLIKELY = 0.99
NO_EVENTS = EventCount(0, {})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsRequest:
    """A period and its steps. None stands for a default.

    - `since`: an hour before `until`. - `until`: now.
    - `step`: whole minutes; as short as makes no more than MAX_DEFAULT_STEPS.
    - `type`: all types.
    """

    since: datetime | None = None
    until: datetime | None = None
    step: timedelta | None = None
    type: TypeName | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """The steps of a period: it begins and ends with a whole step since 1970."""

    since: datetime
    until: datetime
    step: timedelta

    @classmethod
    def asked(cls, request: StatisticsRequest, now: datetime) -> Self:
        """The period that a request asks for, extended to whole steps.

        Raises InvalidPeriod: it ends before it begins, or has too many steps.
        """
        until = request.until or now
        since = request.since or until - DEFAULT_PERIOD
        if since >= until:
            raise InvalidPeriod("since", "before until, or before now if that is not given")
        step = request.step or _default_step(until - since)
        period = cls(since - (since - EPOCH) % step, until + (EPOCH - until) % step, step)
        if period.steps > MAX_STEPS:
            raise InvalidPeriod("step", f"so long that the period has at most {MAX_STEPS} steps")
        return period

    @property
    def steps(self) -> int:
        """The number of steps."""
        return (self.until - self.since) // self.step


@dataclass(frozen=True)
class Durations:
    """The durations of one kind, as a histogram of each step; medians and 99th percentiles in seconds.

    A step without durations has an empty histogram, and None instead of a number.
    """

    histograms: Sequence[Buckets]

    @cached_property
    def medians(self) -> Sequence[float | None]:
        """The median of each step."""
        return [quantile(each, MEDIAN) for each in self.histograms]

    @cached_property
    def p99s(self) -> Sequence[float | None]:
        """The 99th percentile of each step."""
        return [quantile(each, UNLIKELY) for each in self.histograms]

    @cached_property
    def whole(self) -> Buckets:
        """The histogram of the whole period; domain.histogram.quantile computes its median."""
        return merged(self.histograms)


@dataclass(frozen=True)
class Series:
    """The events of one type, or of several together, by step.

    - `counts`: the numbers of each event, one for each step.
    - `wait`: the times between the `run_at` of tasks and their starts, in the steps of the starts.
    - `run`: the times between the starts and the ends of tasks that were done or failed, in the steps of the ends.
    """

    counts: Mapping[Event, Sequence[int]]
    wait: Durations
    run: Durations

    def number(self, event: Event) -> int:
        """The number of these events in the whole period."""
        return sum(self.counts[event])


@dataclass(frozen=True, slots=True)
class Statistics:
    """The series of a period: of each type that has any event, in the order of names, and of all together."""

    period: Period
    types: Mapping[TypeName, Series]
    total: Series


class ViewStatistics:
    """Views the statistics, from the counts of events alone.

    A short period is read at most once in two seconds, and one that is over once in a step of it.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._cached = CachedByKey(self._read, clock, self._cached_seconds)

    def __call__(self, request: StatisticsRequest) -> Statistics:
        """The statistics of a period. Raises InvalidPeriod."""
        return self._cached((Period.asked(request, self._clock.now()), request.type))

    def _cached_seconds(self, key: tuple[Period, TypeName | None]) -> float:
        period, _ = key
        if period.until + COMMIT_DELAY <= self._clock.now():
            return min(period.step.total_seconds(), MAX_OVER_CACHED_SECONDS)
        return min(
            max(MIN_CACHED_SECONDS, (period.until - period.since) / PERIOD_PER_CACHED_SECOND), MAX_CACHED_SECONDS
        )

    def _read(self, key: tuple[Period, TypeName | None]) -> Statistics:
        period, type = key
        with self._begin() as work:
            counts = work.statistics.counts(period.since, period.until, period.step, type)
        of_type: dict[TypeName, dict[tuple[int, Event], EventCount]] = defaultdict(dict)
        for (name, nth, event), count in counts.items():
            of_type[name][nth, event] = count
        types = {name: _series(of_type[name], period.steps) for name in sorted(of_type)}
        return Statistics(period, types, _series(_total(counts), period.steps))


def _default_step(length: timedelta) -> timedelta:
    """The shortest default step that makes few steps; the longest one if none does."""
    few = (step for step in DEFAULT_STEPS if length <= step * MAX_DEFAULT_STEPS)
    return next(few, DEFAULT_STEPS[-1])


def _total(counts: EventCounts) -> Mapping[tuple[int, Event], EventCount]:
    """The counts of all types together."""
    of_step: dict[tuple[int, Event], list[EventCount]] = defaultdict(list)
    for (_, nth, event), count in counts.items():
        of_step[nth, event].append(count)
    return {key: _together(each) for key, each in of_step.items()}


def _together(counts: Iterable[EventCount]) -> EventCount:
    counts = list(counts)
    return EventCount(sum(each.number for each in counts), merged(each.buckets for each in counts))


def _series(counts: Mapping[tuple[int, Event], EventCount], steps: int) -> Series:
    def durations(*events: Event) -> Durations:
        of_step = ([counts.get((nth, event), NO_EVENTS).buckets for event in events] for nth in range(steps))
        return Durations([merged(each) for each in of_step])

    return Series(
        {event: [counts.get((nth, event), NO_EVENTS).number for nth in range(steps)] for event in Event},
        wait=durations(Event.STARTED),
        run=durations(*RUN_ENDS),
    )
