"""The settlement of lost tasks, which all rescues share: they wait again, or have failed."""

import logging
from collections.abc import Sequence
from datetime import datetime

from application.ports.unit_of_work import UnitOfWork
from application.ports.wake_up import Notifier, Topic
from domain.handler_death import settlements_after_death
from domain.status import Status
from domain.task import Task

BATCH_TASKS = 500
MAX_HELD_TASKS = 10_000
"""More tasks than a handler holds: all its tasks are settled together, since each may be the one that ended it."""

log = logging.getLogger(__name__)


def settle_lost(work: UnitOfWork, lost: Sequence[Task], now: datetime) -> Sequence[Task]:
    """Settle the tasks of one handler that is gone.

    Before: running, and locked by this unit of work. After: as returned.
    """
    settlements = settlements_after_death(lost, now)
    work.queue.settle(settlements)
    return [settlement.task for settlement in settlements]


def notify_lost(notifier: Notifier, tasks: Sequence[Task]) -> None:
    """Notify the handlers that can start the tasks, and those that may still run them."""
    for task in tasks:
        log.warning("took back task %d, whose handler is gone: it is %s now", task.id, task.status)
    if any(task.status is Status.WAITING for task in tasks):
        notifier.notify(Topic.WAITING)
    if tasks:
        notifier.notify(Topic.TAKEN)
        notifier.notify(Topic.CHANGED)
