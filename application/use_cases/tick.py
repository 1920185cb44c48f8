"""Tick: what recurs and is due becomes a task, once, whoever else ticks."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf

from application.conflict_retry import retry_on_conflict
from application.errors import InvalidSchedule
from application.ports.calendar import Calendar
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from domain.schedule import Recurrence, Schedule
from domain.submission import Submission
from domain.task import Task
from domain.task_type import TaskType

NO_ARGUMENTS = "{}"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TickResult:
    """The tasks that were made, and in how many seconds there is another tick; inf if there is none."""

    tasks: Sequence[Task]
    next_in: float


class Tick:
    """A tick and its task are one transaction. All the ticks that were missed make one task, which was to run at the
    first of them, and is kept for `max_task_time` from now."""

    def __init__(self, begin: Begin, clock: Clock, notifier: Notifier, calendar: Calendar, max_task_time: int) -> None:
        self._begin = begin
        self._clock = clock
        self._notifier = notifier
        self._calendar = calendar
        self._max_task_time = max_task_time
        self._unreadable: set[Schedule] = set()

    @retry_on_conflict
    def __call__(self) -> TickResult:
        """Everything that is due and that nobody else has at hand."""
        now = self._clock.now()
        with self._begin() as work:
            work.schedules.review(now)
            tasks = self._tick(work, now)
            next = work.schedules.next_after(now)
            work.commit()
        if tasks:
            self._notifier.notify(Topic.WAITING)
        return TickResult(tasks, (next - now).total_seconds() if next else inf)

    def _tick(self, work: UnitOfWork, now: datetime) -> Sequence[Task]:
        due = work.schedules.due(now)
        ticked = list(self._ticked(due, now))
        if not ticked:
            return []
        work.schedules.save(ticked)
        types = {each.type.name: each.type for each in work.types.all(now)}
        ticks = {each.type: each.next for each in due}
        added = work.tasks.add([self._submission(types[each.type], ticks[each.type], now) for each in ticked])
        return [task for task in added if task]

    def _ticked(self, due: Sequence[Recurrence], now: datetime) -> Iterator[Recurrence]:
        """What cannot be read here, since a newer version wrote it, is left to others, and holds up nothing."""
        for each in due:
            try:
                yield each.ticked(self._calendar.next_after(each.schedule, now))
            except InvalidSchedule as error:
                if each.schedule not in self._unreadable:
                    log.error("%s does not tick here: %s", each.type, error)
                self._unreadable.add(each.schedule)

    def _submission(self, type: TaskType, tick: datetime, now: datetime) -> Submission:
        return Submission(
            type=type.name, args=NO_ARGUMENTS, now=now, ttl=self._max_task_time, run_at=tick, options=type.options
        )
