"""The settlement of lost tasks, which all rescues share: they wait again, or have failed."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from application.errors import TriggerFailed
from application.isolation import isolate, log_once
from application.log_lines import log_rescue
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.ports.wake_up import Notifier, Topic
from domain.handler_death import explains_death, settlement_after_death
from domain.ids import TaskId
from domain.settlement import Settlement
from domain.status import Status
from domain.task import Task

BATCH_TASKS = 10_000
"""More tasks than a handler holds: they are settled together, since each may be the one that ended the handler."""
MAX_ISOLATION_SECONDS = 5.0
"""Seconds after which a transaction looks for no more tasks that fail. The watchdog cuts one that takes 15 s."""
NOT_TAKEN_BACK = "its handler is gone, and the database refuses to let it wait again"
log = logging.getLogger(__name__)


def settle_lost(
    work: UnitOfWork,
    lost: Sequence[Task],
    now: datetime,
    on_refused: Callable[[TaskId], object] = lambda _: None,
    is_time_up: Callable[[], bool] = lambda: False,
) -> Sequence[Settlement]:
    """Settle the tasks of one handler that is gone.

    Before: running, and locked by this unit of work. After: as the settlements that are returned have them.

    A task that the storage refuses to take back is set aside as failed, or is logged and left where that is refused
    too. Its neighbours are taken back.

    `on_refused`: is called with each task that is left.
    `is_time_up`: whether the tasks among which one has failed are left, unexamined, for another time.
    """
    is_explained = explains_death(lost)

    def settle(settlements: Sequence[Settlement]) -> Sequence[Settlement]:
        if is_time_up():
            return []
        with work.savepoint():
            refused = {*work.queue.settle(settlements)}
        for id in refused:
            log_once(log, f"task {id} is locked here, and yet not taken back: its row has moved on", task=id)
            on_refused(id)
        return [settlement for settlement in settlements if settlement.task.id not in refused]

    def take_back(tasks: Sequence[Task]) -> Sequence[Settlement]:
        return settle([settlement_after_death(task, now, is_explained) for task in tasks])

    def set_aside(task: Task, error: Exception) -> Sequence[Settlement]:
        failed = Settlement.set_aside(task, now, NOT_TAKEN_BACK)
        if isinstance(error, TriggerFailed):
            return leave(failed, error)
        log_once(log, f"task {task.id} cannot be taken back, and fails", error, task=task.id)
        return isolate([failed], settle, leave)

    def leave(settlement: Settlement, error: Exception) -> Sequence[Settlement]:
        id = settlement.task.id
        log_once(log, f"task {id} can neither be taken back nor set aside", error, task=id)
        on_refused(id)
        return []

    return isolate(lost, take_back, set_aside)


def timer(clock: Clock, seconds: float) -> Callable[[], bool]:
    """A function that tells whether that many seconds are over."""
    until = clock.monotonic() + seconds
    return lambda: clock.monotonic() > until


def notify_lost(notifier: Notifier, settled: Sequence[Settlement]) -> Sequence[Task]:
    """Notify the handlers that can start the tasks, and those that may still run them. The tasks."""
    for each in settled:
        log_rescue(log, each)
    if any(each.task.status is Status.WAITING for each in settled):
        notifier.notify(Topic.WAITING)
    if settled:
        notifier.notify(Topic.TAKEN)
        notifier.notify(Topic.CHANGED)
    return [each.task for each in settled]
