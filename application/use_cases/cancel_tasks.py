"""Cancel many tasks: none of them starts any more, and their runs are ended."""

from collections.abc import Collection, Sequence

from application.ports.clock import Clock
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier, Topic
from application.use_cases.change_tasks import ChangeTasks, ChangeTasksRequest, ChangeTasksResult
from application.use_cases.unblock_tasks import UnblockTasks
from domain.ids import TaskId
from domain.status import Status, Verb
from domain.task import Task


class CancelTasks:
    """Cancels matching tasks that wait or run, and leaves others unchanged."""

    def __init__(self, begin: Begin, clock: Clock, notifier: Notifier, unblock: UnblockTasks) -> None:
        self._clock = clock
        self._notifier = notifier
        self._change = ChangeTasks(begin, clock, unblock, Verb.CANCEL)

    def __call__(self, request: ChangeTasksRequest) -> ChangeTasksResult:
        """Cancel the tasks, within some seconds."""
        return self._change(request, self._cancel, self._notify)

    def _cancel(self, work: UnitOfWork, tasks: Sequence[Task]) -> Collection[TaskId]:
        work.tasks.save(*(task.cancel(self._clock.now()) for task in tasks))
        return [task.id for task in tasks]

    def _notify(self, cancelled: Sequence[Task]) -> None:
        if any(task.status is Status.RUNNING for task in cancelled):
            self._notifier.notify(Topic.TAKEN)
        if cancelled:
            self._notifier.notify(Topic.CHANGED)
