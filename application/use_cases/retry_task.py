"""Retry a task that failed or was cancelled: it waits again under its id."""

from application.conflict_retry import retry_on_conflict
from application.known_types import KnownTypes, attempts
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier, Topic
from application.use_cases.revive import revive
from application.use_cases.task_lock import locked, stored
from application.use_cases.unblock_tasks import UnblockTasks
from application.view import View, Viewer
from domain.ids import TaskId


class RetryTask:
    """Retries one task, and with it what has failed by it.

    Raises UnknownTask: the task does not exist.
    Raises InvalidTransition: it has neither failed nor been cancelled.
    """

    def __init__(
        self,
        begin: Begin,
        clock: Clock,
        types: KnownTypes,
        notifier: Notifier,
        viewer: Viewer,
        unblock: UnblockTasks,
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._types = types
        self._notifier = notifier
        self._viewer = viewer
        self._unblock = unblock

    @retry_on_conflict
    def __call__(self, id: TaskId) -> View:
        """The view of the waiting task, which may have as many more attempts as its type has."""
        types = self._types.all()
        with locked(self._begin, id) as (work, task):
            now = self._clock.now()
            waiting = task.retry(now, attempts(types, task.type))
            work.tasks.save(waiting)
            revive(work, [waiting], now)
            retried = stored(work, id)
            work.commit()
        self._notifier.notify(Topic.WAITING)
        self._notifier.notify(Topic.CHANGED)
        self._unblock.all()
        return self._viewer(retried)
