"""Retry many tasks that failed or were cancelled: they wait again under their ids."""

from collections.abc import Collection, Sequence

from application.known_types import KnownTypes, attempts
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from application.use_cases.change_tasks import ChangeTasks, ChangeTasksRequest, ChangeTasksResult
from application.use_cases.revive import revive
from application.use_cases.unblock_tasks import UnblockTasks
from domain.ids import TaskId
from domain.status import Verb
from domain.task import Task


class RetryTasks:
    """Each may have as many more attempts as its type has. Tasks with other statuses are left unchanged."""

    def __init__(
        self, begin: Begin, clock: Clock, types: KnownTypes, notifier: Notifier, unblock: UnblockTasks
    ) -> None:
        self._clock = clock
        self._types = types
        self._notifier = notifier
        self._change = ChangeTasks(begin, clock, unblock, Verb.RETRY)

    def __call__(self, request: ChangeTasksRequest) -> ChangeTasksResult:
        """Retry the tasks, within some seconds."""
        types = self._types.all()

        def retry(work: UnitOfWork, tasks: Sequence[Task]) -> Collection[TaskId]:
            now = self._clock.now()
            retried = [task.retry(now, attempts(types, task.type)) for task in tasks]
            work.tasks.save(*retried)
            revived = revive(work, retried, now)
            return revived | {task.id for task in retried}

        return self._change(request, retry, self._notify)

    def _notify(self, retried: Sequence[Task]) -> None:
        if retried:
            self._notifier.notify(Topic.WAITING)
            self._notifier.notify(Topic.CHANGED)
