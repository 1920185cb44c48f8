"""Revive: what has failed by a task waits again with its retry, and what has failed by that, in one transaction.

So nothing else that waits for such a task takes it for one that has ended.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from application.ports.unit_of_work import UnitOfWork
from domain.ids import TaskId
from domain.task import Task

MAX_REVIVED_TASKS = 500
"""Tasks after which no others are revived with the retry: they are when their parents are looked at."""


def revive(work: UnitOfWork, retried: Collection[TaskId], now: datetime) -> None:
    """Let the dependents of retried tasks wait again that have failed by them. Locked ones are left for later."""
    parents, left = retried, MAX_REVIVED_TASKS
    while parents and left > 0:
        failed = work.dependencies.failed_by(parents, left)
        revived = [task for each in failed if (task := each.decided(now))]
        work.tasks.save(*revived)
        resume_batches(work, revived)
        parents, left = {task.id for task in revived}, left - len(revived)


def resume_batches(work: UnitOfWork, revived: Sequence[Task]) -> None:
    """Note that the batches of revived tasks have not finished."""
    if batches := {task.batch for task in revived if task.batch is not None}:
        work.batches.resume(batches)
