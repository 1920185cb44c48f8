"""Revive: what has failed by a task waits again with its retry, and what has failed by that, in one transaction.

So nothing else that waits for such a task takes it for one that has ended.
"""

from collections.abc import Sequence, Set
from datetime import datetime

from application.ports.unit_of_work import UnitOfWork
from domain.ids import BatchId, TaskId
from domain.task import Task

MAX_REVIVED_TASKS = 500
"""Tasks after which no others are revived with the retry: they are when their parents are looked at."""


def revive(work: UnitOfWork, retried: Sequence[Task], now: datetime) -> Set[TaskId]:
    """Let the dependents of retried tasks wait again that have failed by them, and return their ids.

    Locked ones are left for later.

    The batches of all of these go on. They are locked at once, by rising id, so that two retries never wait for each
    other.
    """
    parents, left, batches = {task.id for task in retried}, MAX_REVIVED_TASKS, {*batches_of(retried)}
    all_revived: set[TaskId] = set()
    while parents and left > 0:
        failed = work.dependencies.failed_by(parents, left)
        revived = [task for each in failed if (task := each.decided(now))]
        work.tasks.save(*revived)
        batches |= batches_of(revived)
        parents, left = {task.id for task in revived}, left - len(revived)
        all_revived |= parents
    work.batches.resume(batches, then=[task.id for task in retried if task.is_blocked])
    return all_revived


def batches_of(tasks: Sequence[Task]) -> Set[BatchId]:
    """The batches that these tasks are of."""
    return {task.batch for task in tasks if task.batch is not None}
