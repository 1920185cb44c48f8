"""Publish the types that a handler can run, with their schedules."""

from collections.abc import Sequence, Set
from datetime import datetime

from application.errors import StorageConflict
from application.ports.calendar import Calendar
from application.ports.clock import Clock
from application.ports.monitoring import HandlerInfo
from application.ports.schedules import Schedules
from application.ports.unit_of_work import Begin, UnitOfWork
from domain.ids import HandlerId, TypeName
from domain.schedule import Recurrence, Schedule
from domain.task_type import TaskType


class PublishTypes:
    """Publishes types. The newest publication of a type decides whether it recurs; if so, its due tick stays due."""

    def __init__(self, begin: Begin, clock: Clock, calendar: Calendar) -> None:
        self._begin = begin
        self._clock = clock
        self._calendar = calendar

    def __call__(
        self,
        handler: HandlerId,
        types: Sequence[TaskType],
        until: datetime,
        process: str | None = None,
        lease: float | None = None,
        info: HandlerInfo | None = None,
    ) -> Set[TypeName]:
        """As PublishedTypes.publish. After: these types have the schedules that they were published with, or none.

        Returns the names of the types that are locked, or whose schedules are. They are left as they are until the call
        is repeated.
        """
        now = self._clock.now()
        with self._begin() as work:
            locked = work.types.publish(handler, types, until, process, lease, info)
            # After the types, for which another handler that publishes one of them waits, or which it leaves alone: it
            # sees what is written here.
            locked = locked | self._try_to_reschedule(work, types, locked, now)
            work.commit()
        return locked

    def _try_to_reschedule(
        self, work: UnitOfWork, types: Sequence[TaskType], locked: Set[TypeName], now: datetime
    ) -> Set[TypeName]:
        try:
            with work.savepoint():
                locked = self._reschedule(work.schedules, types, locked, now)
                work.schedules.review(now)
        except StorageConflict:
            return {type.name for type in types}
        return locked

    def _reschedule(
        self, schedules: Schedules, types: Sequence[TaskType], locked: Set[TypeName], now: datetime
    ) -> Set[TypeName]:
        """Reschedule the types that are not locked themselves. The types whose schedules are locked."""
        known = {each.type: each for each in schedules.lock()}
        unknown = schedules.types() - known.keys()
        names = {type.name for type in types}
        free = [type for type in types if type.name not in locked | unknown]
        after = [self._recurring(type, type.schedule, known.get(type.name), now) for type in free if type.schedule]
        after += [each.left_out() for each in known.values() if each.type not in names]
        schedules.save([each for each in after if each != known.get(each.type)])
        schedules.remove([type.name for type in free if type.schedule is None and type.name in known])
        return unknown

    def _recurring(self, type: TaskType, schedule: Schedule, known: Recurrence | None, now: datetime) -> Recurrence:
        first = self._calendar.next_after(schedule, now)
        if known is None:
            return Recurrence(type=type.name, schedule=schedule, next=first)
        return known.published(schedule, now, first)
