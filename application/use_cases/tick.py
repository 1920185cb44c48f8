"""Tick: each due tick of a schedule becomes one task, or is skipped, however many janitors tick at once."""

import logging
from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from math import inf

from application.conflict_retry import retry_on_conflict
from application.errors import InvalidSchedule
from application.isolation import isolate, log_once
from application.json.lanes import lane
from application.ports.calendar import Calendar
from application.ports.clock import Clock
from application.ports.pending_work import PendingWork
from application.ports.published_types import PublishedType
from application.ports.schedules import Schedules
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from domain.ids import TypeName
from domain.schedule import Recurrence
from domain.submission import Submission
from domain.task import Task

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
    `max_task_time` seconds from now. They are skipped and counted while the type accepts no tasks, or is paused and a
    tick of it waits.
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
        next_ticks = dict(self._next_ticks(work.schedules.due(now), now))
        if not next_ticks:
            return []
        types = {each.type.name: each for each in work.types.all(now)}
        skipping = _skipping(work.schedules, [types[each.type] for each in next_ticks], now)

        def tick(some: Sequence[Recurrence]) -> Sequence[Task]:
            kept = [each for each in some if each.type not in skipping]
            with work.savepoint():
                added = work.tasks.add([self._submission(types[each.type], each.next, now) for each in kept])
                tasks = {task.type: task for task in added if task}
                work.schedules.save([_after(each, next_ticks[each], tasks.get(each.type)) for each in some])
            return [*tasks.values()]

        return isolate([*next_ticks], tick, _leave)

    def _review(self, work: UnitOfWork, now: datetime) -> None:
        """Review the schedules. A row that cannot be changed keeps no other from ticking."""

        def review(_: Sequence[None]) -> Sequence[None]:
            with work.savepoint():
                work.schedules.review(now)
            return []

        isolate([None], review, _leave_unreviewed)

    def _next_ticks(self, due: Sequence[Recurrence], now: datetime) -> Iterator[tuple[Recurrence, datetime]]:
        """The recurrences with their next ticks. A schedule that only a newer version can read is left to that one."""
        for each in due:
            try:
                yield each, self._calendar.next_after(each.schedule, now)
            except InvalidSchedule as error:
                log_once(log, f"{each.type} does not tick here: {error}")

    def _submission(self, published: PublishedType, tick: datetime, now: datetime) -> Submission:
        type = published.type
        return Submission(
            type=type.name,
            args=NO_ARGUMENTS,
            now=now,
            ttl=self._max_task_time,
            run_at=tick,
            options=type.options,
            lane=lane({}, published.limits.limits.lane),
        )


def _skipping(schedules: Schedules, types: Collection[PublishedType], now: datetime) -> Set[TypeName]:
    """The types whose ticks are skipped: those that accept no tasks, and paused ones of which a tick waits."""
    refusing = {each.type.name for each in types if not each.limits.limits.accepting}
    paused = {each.type.name for each in types if each.limits.limits.is_paused}
    return refusing | schedules.waiting(paused, now) if paused else refusing


def _after(recurrence: Recurrence, next: datetime, task: Task | None) -> Recurrence:
    return recurrence.ticked(next, task.id) if task else recurrence.skipped_to(next)


def _leave(recurrence: Recurrence, error: Exception) -> Sequence[Task]:
    log_once(log, f"the tick of {recurrence.type} cannot become a task", error)
    return []


def _leave_unreviewed(_: None, error: Exception) -> Sequence[None]:
    log_once(log, "the schedules cannot be reviewed", error)
    return []
