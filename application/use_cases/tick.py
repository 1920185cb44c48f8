"""Tick: each due tick of a schedule becomes one task, however many janitors tick at once."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf

from application.conflict_retry import retry_on_conflict
from application.errors import InvalidSchedule
from application.isolation import isolate, log_once
from application.ports.calendar import Calendar
from application.ports.clock import Clock
from application.ports.pending_work import PendingWork
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from domain.schedule import Recurrence
from domain.submission import Submission
from domain.task import Task
from domain.task_type import TaskType

NO_ARGUMENTS = "{}"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TickResult:
    """The new tasks, and the seconds until the next tick; inf if there is none."""

    tasks: Sequence[Task]
    next_in: float


class Tick:
    """Adds a task and moves its schedule on in one transaction.

    All missed ticks of a schedule make one task, with the first of them as its `run_at`, which is kept for
    `max_task_time` seconds from now.
    """

    def __init__(
        self,
        begin: Begin,
        pending: PendingWork,
        clock: Clock,
        notifier: Notifier,
        calendar: Calendar,
        max_task_time: int,
    ) -> None:
        self._begin = begin
        self._pending = pending
        self._clock = clock
        self._notifier = notifier
        self._calendar = calendar
        self._max_task_time = max_task_time

    @retry_on_conflict
    def __call__(self) -> TickResult:
        """Tick all due schedules that no other janitor has locked."""
        now = self._clock.now()
        tasks: Sequence[Task] = []
        next = self._pending.next_schedule_work(now)
        if next and next <= now:
            with self._begin() as work:
                self._review(work, now)
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
        types = {each.type.name: each.type for each in work.types.all(now)}
        ticks = {each.type: each.next for each in due}

        def add(some: Sequence[Recurrence]) -> Sequence[Task]:
            with work.savepoint():
                work.schedules.save(some)
                added = work.tasks.add([self._submission(types[each.type], ticks[each.type], now) for each in some])
            return [task for task in added if task]

        return isolate(ticked, add, _leave)

    def _review(self, work: UnitOfWork, now: datetime) -> None:
        """Review the schedules. A row that cannot be changed keeps no other from ticking."""

        def review(_: Sequence[None]) -> Sequence[None]:
            with work.savepoint():
                work.schedules.review(now)
            return []

        isolate([None], review, _leave_unreviewed)

    def _ticked(self, due: Sequence[Recurrence], now: datetime) -> Iterator[Recurrence]:
        """The recurrences after their ticks. A schedule that only a newer version can read is left to that one."""
        for each in due:
            try:
                yield each.ticked(self._calendar.next_after(each.schedule, now))
            except InvalidSchedule as error:
                log_once(log, f"{each.type} does not tick here: {error}")

    def _submission(self, type: TaskType, tick: datetime, now: datetime) -> Submission:
        return Submission(
            type=type.name, args=NO_ARGUMENTS, now=now, ttl=self._max_task_time, run_at=tick, options=type.options
        )


def _leave(recurrence: Recurrence, error: Exception) -> Sequence[Task]:
    log_once(log, f"the tick of {recurrence.type} cannot become a task", error)
    return []


def _leave_unreviewed(_: None, error: Exception) -> Sequence[None]:
    log_once(log, "the schedules cannot be reviewed", error)
    return []
