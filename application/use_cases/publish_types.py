"""Publish the types that a handler can run, with their schedules."""

from collections.abc import Sequence
from datetime import datetime

from application.ports.calendar import Calendar
from application.ports.clock import Clock
from application.ports.schedules import Schedules
from application.ports.unit_of_work import Begin
from domain.ids import HandlerId
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
    ) -> None:
        """As PublishedTypes.publish. After: these types have the schedules that they were published with, or none."""
        now = self._clock.now()
        with self._begin() as work:
            work.types.publish(handler, types, until, process, lease)
            # After the types, for which another handler that publishes one of them waits: it sees what is written here.
            self._reschedule(work.schedules, types, now)
            work.schedules.review(now)
            work.commit()

    def _reschedule(self, schedules: Schedules, types: Sequence[TaskType], now: datetime) -> None:
        known = {each.type: each for each in schedules.lock()}
        names = {type.name for type in types}
        after = [self._recurring(type, type.schedule, known.get(type.name), now) for type in types if type.schedule]
        after += [each.left_out() for each in known.values() if each.type not in names]
        schedules.save([each for each in after if each != known.get(each.type)])
        schedules.remove([type.name for type in types if type.schedule is None and type.name in known])

    def _recurring(self, type: TaskType, schedule: Schedule, known: Recurrence | None, now: datetime) -> Recurrence:
        first = self._calendar.next_after(schedule, now)
        if known is None:
            return Recurrence(type=type.name, schedule=schedule, next=first)
        return known.published(schedule, now, first)
