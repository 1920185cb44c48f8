"""Delete a task with its attempts, its logs and its delivery."""

from application.conflict_retry import retry_on_conflict
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic
from application.use_cases.task_lock import locked
from application.use_cases.unblock_tasks import UnblockTasks
from domain.ids import TaskId


class DeleteTask:
    """Deletes one task.

    Raises UnknownTask: the task does not exist.
    Raises InvalidTransition: it runs.
    """

    def __init__(self, begin: Begin, notifier: Notifier, unblock: UnblockTasks) -> None:
        self._begin = begin
        self._notifier = notifier
        self._unblock = unblock

    @retry_on_conflict
    def __call__(self, id: TaskId) -> None:
        """Delete the task."""
        with locked(self._begin, id) as (work, task):
            task.check_deletable()
            work.tasks.remove(id)
            work.commit()
        self._notifier.notify(Topic.CHANGED)
        self._unblock.all()
