"""Rescue: take back what handlers held that do not renew their leases any more."""

from collections.abc import Sequence

from application.conflict_retry import retry_on_conflict
from application.errors import StorageConflict, StorageUnavailable
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier
from application.rescue_guard import RescueGuard
from application.use_cases.settle_lost import BATCH_TASKS, notify_lost, settle_lost
from domain.instants import after
from domain.task import Task


class Rescue:
    """Holds still for one lease after the storage was, or may have been, away: who lives renews, and loses nothing.

    `vigil` is what it knows of that; whoever looks at the storage by turns with it may keep it too.
    """

    def __init__(self, begin: Begin, clock: Clock, notifier: Notifier, lease: float) -> None:
        self._begin = begin
        self._clock = clock
        self._notifier = notifier
        self._lease = lease
        self.guard = RescueGuard(clock, lease)

    @retry_on_conflict
    def __call__(self) -> Sequence[Task]:
        """The tasks that were taken back, as they are now; one batch. A full one says that there may be more."""
        try:
            tasks = self._look()
        except StorageConflict:
            raise
        except StorageUnavailable:
            self.guard.broken()
            raise
        notify_lost(self._notifier, tasks)
        return tasks

    def _look(self) -> Sequence[Task]:
        self.guard.begin()
        now = self._clock.now()
        with self._begin() as work:
            lapsed = work.queue.lapsed(now, BATCH_TASKS)
            self.guard.end()
            if not lapsed or not self.guard.has_lasted or now < after(work.queue.up_since(), self._lease):
                return []
            tasks = settle_lost(work, lapsed, now)
            work.commit()
        return tasks
