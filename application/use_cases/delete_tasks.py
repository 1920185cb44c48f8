"""Delete many tasks with their attempts, their logs and their deliveries."""

from collections.abc import Collection, Sequence

from application.ports.clock import Clock
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from application.use_cases.change_tasks import ChangeTasks, ChangeTasksRequest, ChangeTasksResult
from application.use_cases.unblock_tasks import UnblockTasks
from domain.ids import TaskId
from domain.status import Verb
from domain.task import Task

BATCH_TASKS = 50
"""Tasks of one batch: few, since each may have 16 MiB of arguments and as much of a result."""


class DeleteTasks:
    """Deletes matching tasks, and leaves those that run."""

    def __init__(self, begin: Begin, clock: Clock, notifier: Notifier, unblock: UnblockTasks) -> None:
        self._notifier = notifier
        self._change = ChangeTasks(begin, clock, unblock, Verb.DELETE, BATCH_TASKS)

    def __call__(self, request: ChangeTasksRequest) -> ChangeTasksResult:
        """Delete the tasks, within some seconds."""
        return self._change(request, _delete, self._notify)

    def _notify(self, deleted: Sequence[Task]) -> None:
        if deleted:
            self._notifier.notify(Topic.CHANGED)


def _delete(work: UnitOfWork, tasks: Sequence[Task]) -> Collection[TaskId]:
    ids = [task.id for task in tasks]
    work.tasks.remove(*ids)
    return ids
