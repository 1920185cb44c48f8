"""Cancel a task: it does not start any more, and its run is ended."""

from application.conflict_retry import retry_on_conflict
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic
from application.use_cases.task_lock import locked, stored
from application.use_cases.unblock_tasks import UnblockTasks
from application.view import View, Viewer
from domain.ids import TaskId
from domain.status import Status


class CancelTask:
    """Cancels one task. Cancelling it again is no error. Its dependents are decided on before the call returns.

    Raises UnknownTask: the task does not exist.
    Raises InvalidTransition: it is done or failed.
    """

    def __init__(self, begin: Begin, clock: Clock, notifier: Notifier, viewer: Viewer, unblock: UnblockTasks) -> None:
        self._begin = begin
        self._clock = clock
        self._notifier = notifier
        self._viewer = viewer
        self._unblock = unblock

    @retry_on_conflict
    def __call__(self, id: TaskId) -> View:
        """The view of the cancelled task."""
        with locked(self._begin, id) as (work, task):
            if task.status is not Status.CANCELLED:
                work.tasks.save(task.cancel(self._clock.now()))
            cancelled = stored(work, id)
            work.commit()
        if task.status is Status.RUNNING:
            self._notifier.notify(Topic.TAKEN)
        if task.status is not Status.CANCELLED:
            self._notifier.notify(Topic.CHANGED)
            self._unblock.all()
        return self._viewer(cancelled)
