"""View the situation: what waits, and which processes live, at this moment."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.known_types import KnownTypes
from application.ports.clock import Clock
from application.ports.listing import Counts
from application.ports.published_types import PublishedType
from application.ports.statistics import MINUTE
from application.use_cases.count_tasks import CountTasks
from application.use_cases.find_oldest_due import FindOldestDue
from application.use_cases.list_handlers import ListHandlers, Processes
from application.use_cases.view_statistics import StatisticsRequest, ViewStatistics
from domain.event import Event
from domain.ids import TypeName
from domain.limits import Limits

FLOW_AGE = timedelta(minutes=1)
"""Time after its last start or end for which a limited type flows at least."""
PROGRESS = frozenset(Event) - {Event.SUBMITTED}


@dataclass(frozen=True, slots=True)
class Situation:
    """The tasks by type and status, the oldest due one of each type, the processes, and the published types.

    `flowing`: types with limits of which a task has started or ended lately.
    """

    now: datetime
    counts: Counts
    oldest_due: Mapping[TypeName, datetime]
    processes: Processes
    types: Mapping[TypeName, PublishedType]
    flowing: Set[TypeName]


class ViewSituation:
    """Views the situation. All but the counts is read at most once a second; what flows, where any type has limits."""

    def __init__(
        self,
        clock: Clock,
        count: CountTasks,
        find_oldest_due: FindOldestDue,
        list_handlers: ListHandlers,
        known_types: KnownTypes,
        view_statistics: ViewStatistics,
    ) -> None:
        self._clock = clock
        self._count = count
        self._find_oldest_due = find_oldest_due
        self._list_handlers = list_handlers
        self._known_types = known_types
        self._view_statistics = view_statistics

    def __call__(self) -> Situation:
        """The situation of this moment."""
        now, types = self._clock.now(), self._known_types.all()
        flowing = self._flowing(types, now)
        return Situation(now, self._count(), self._find_oldest_due(), self._list_handlers(), types, flowing)

    def _flowing(self, types: Mapping[TypeName, PublishedType], now: datetime) -> Set[TypeName]:
        limited = {name for name, type in types.items() if _bounds_starts(type.limits.limits)}
        if not limited:
            return limited
        lately = self._view_statistics(StatisticsRequest(since=now - FLOW_AGE, until=now, step=MINUTE)).types
        return {name for name in limited & lately.keys() if any(map(lately[name].number, PROGRESS))}


def _bounds_starts(limits: Limits) -> bool:
    return any(each is not None for each in (limits.at_once, limits.per_second, limits.at_once_per_lane))
