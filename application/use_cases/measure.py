"""Measure: the tasks, their events, the processes and the queues of all types, for a monitor."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from application.ports.clock import Clock
from application.ports.listing import Counts
from application.ports.monitoring import HandlerRecord, JanitorRecord, Liveness
from application.ports.statistics import EventTotals
from application.ports.unit_of_work import Begin
from application.use_cases.list_handlers import MAX_SILENT_SHOWN
from application.use_cases.view_statistics import RUN_ENDS
from domain.event import Event
from domain.ids import TypeName
from domain.status import Status

MAX_TYPES = 100
"""Types that are measured apart: those of which most tasks were submitted."""
OTHER = TypeName("other")
"""The name under which the others are measured together."""


@dataclass(slots=True)
class TypeMeasurements:
    """The measurements of one type, or of several together.

    - `tasks`: the tasks by status. - `events`: all events ever.
    - `waits`: all times between the `run_at` of tasks and their starts, by bucket.
    - `runs`: all times between the starts and the ends of tasks that were done or failed, by bucket.
    - `oldest_due_seconds`: the time for which the oldest due task is due; 0 if none is.
    - `unhandled`: the waiting tasks of types that no live handler has.
    """

    tasks: Counter[Status] = field(default_factory=Counter)
    events: Counter[Event] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)
    runs: Counter[int] = field(default_factory=Counter)
    oldest_due_seconds: float = 0.0
    unhandled: int = 0


@dataclass(frozen=True, slots=True)
class Measurements:
    """The measurements by type, and the numbers of handlers and janitors by liveness."""

    types: Mapping[TypeName, TypeMeasurements]
    handlers: Mapping[Liveness, int]
    janitors: Mapping[Liveness, int]


@dataclass(frozen=True, slots=True)
class _Read:
    """Everything that is read, at one moment."""

    now: datetime
    counts: Counts
    oldest_due: Mapping[TypeName, datetime]
    totals: EventTotals
    handlers: Iterable[HandlerRecord]
    janitors: Iterable[JanitorRecord]


class Measure:
    """Measures in one transaction, at a cost that does not depend on the number of tasks."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    def __call__(self) -> Measurements:
        """The measurements of this moment."""
        read = self._read()
        live = {type for each in read.handlers if each.liveness(read.now) is Liveness.LIVE for type in each.types}
        known = {*live, *read.counts, *(type for type, _ in read.totals)}
        return Measurements(
            _by_type(read, live, _apart(known, read.totals)),
            Counter(each.liveness(read.now) for each in read.handlers),
            Counter(each.liveness(read.now) for each in read.janitors),
        )

    def _read(self) -> _Read:
        now = self._clock.now()
        with self._begin() as work:
            return _Read(
                now,
                work.listing.counts(),
                work.monitoring.oldest_due(now),
                work.statistics.totals(),
                work.monitoring.handlers(now, MAX_SILENT_SHOWN),
                work.monitoring.janitors(now, MAX_SILENT_SHOWN),
            )


def _apart(known: Iterable[TypeName], totals: EventTotals) -> frozenset[TypeName]:
    """The types that are measured apart. All processes choose the same ones."""

    def rank(type: TypeName) -> tuple[int, str]:
        total = totals.get((type, Event.SUBMITTED))
        return -(total.number if total else 0), type

    return frozenset(sorted(known, key=rank)[:MAX_TYPES])


def _by_type(read: _Read, live: Iterable[TypeName], apart: frozenset[TypeName]) -> Mapping[TypeName, TypeMeasurements]:
    types: defaultdict[TypeName, TypeMeasurements] = defaultdict(TypeMeasurements)

    def of(type: TypeName) -> TypeMeasurements:
        return types[type if type in apart else OTHER]

    for type in apart:
        of(type)
    for type, counts in read.counts.items():
        of(type).tasks.update(counts)
        of(type).unhandled += 0 if type in live else counts.get(Status.WAITING, 0)
    for type, run_at in read.oldest_due.items():
        due_seconds = (read.now - run_at).total_seconds()
        of(type).oldest_due_seconds = max(of(type).oldest_due_seconds, due_seconds)
    for (type, event), total in read.totals.items():
        of(type).events[event] += total.number
        if event is Event.STARTED:
            of(type).waits.update(total.buckets)
        elif event in RUN_ENDS:
            of(type).runs.update(total.buckets)
    return types
