"""View the situation: what waits, and which processes live, at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from application.known_types import KnownTypes
from application.ports.clock import Clock
from application.ports.listing import Counts
from application.ports.published_types import PublishedType
from application.use_cases.count_tasks import CountTasks
from application.use_cases.find_oldest_due import FindOldestDue
from application.use_cases.list_handlers import ListHandlers, Processes
from domain.ids import TypeName


@dataclass(frozen=True, slots=True)
class Situation:
    """The tasks by type and status, the oldest due one of each type, the processes, and the published types."""

    now: datetime
    counts: Counts
    oldest_due: Mapping[TypeName, datetime]
    processes: Processes
    types: Mapping[TypeName, PublishedType]


class ViewSituation:
    """Views the situation. All but the counts is read at most once a second."""

    def __init__(
        self,
        clock: Clock,
        count: CountTasks,
        find_oldest_due: FindOldestDue,
        list_handlers: ListHandlers,
        known_types: KnownTypes,
    ) -> None:
        self._clock = clock
        self._count = count
        self._find_oldest_due = find_oldest_due
        self._list_handlers = list_handlers
        self._known_types = known_types

    def __call__(self) -> Situation:
        """The situation of this moment."""
        return Situation(
            self._clock.now(), self._count(), self._find_oldest_due(), self._list_handlers(), self._known_types.all()
        )
