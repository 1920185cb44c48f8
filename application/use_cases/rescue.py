"""Rescue: give a silent handler up, and take back its running tasks, once their leases have lapsed (LEASE seconds)."""

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
    """Takes back lapsed tasks, but none until the storage has answered for a lease: live handlers can renew first.

    `guard`: knows when the storage has answered for a lease. Another user of the storage may share it, if the two never
    use it at the same time.
    """

    def __init__(self, begin: Begin, clock: Clock, notifier: Notifier, lease: float) -> None:
        self._begin = begin
        self._clock = clock
        self._notifier = notifier
        self._lease = lease
        self.guard = RescueGuard(clock, lease)

    @retry_on_conflict
    def __call__(self) -> Sequence[Task]:
        """Take back one batch. The tasks after that; after a full batch there may be more."""
        try:
            tasks = self._rescued()
        except StorageConflict:
            raise
        except StorageUnavailable:
            self.guard.broken()
            raise
        notify_lost(self._notifier, tasks)
        return tasks

    def _rescued(self) -> Sequence[Task]:
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
