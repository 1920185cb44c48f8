"""Rescue: give a silent handler up, and take back its running tasks, once their leases have lapsed (LEASE seconds)."""

from collections.abc import Sequence
from datetime import datetime

from application.conflict_retry import retry_on_conflict
from application.errors import StorageConflict, StorageUnavailable
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier
from application.rescue_guard import RescueGuard
from application.use_cases.settle_lost import BATCH_TASKS, MAX_HELD_TASKS, notify_lost, settle_lost
from domain.ids import HandlerId
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
        """Take back tasks of silent handlers. The tasks after that; after BATCH_TASKS or more there may be others."""
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
            silent = dict.fromkeys(task.lease.handler for task in lapsed if task.lease)
            tasks = [task for handler in silent for task in self._rescued_from(work, handler, now)]
            work.commit()
        return tasks

    def _rescued_from(self, work: UnitOfWork, handler: HandlerId, now: datetime) -> Sequence[Task]:
        """Take back the lapsed tasks of a handler, all together if it is dead.

        The last lease of a dead handler lapses a third of a lease after the first one. A handler that holds other
        leases for longer is alive, and has let single ones lapse.
        """
        held = work.queue.running_under(handler, MAX_HELD_TASKS)
        leases = [task.lease for task in held if task.lease]
        lapsed = [task for task in held if task.lease and task.lease.has_lapsed(now)]
        is_alive = any(lease.has_lapsed(after(now, -self._lease / 2)) for lease in leases)
        return settle_lost(work, lapsed, now) if is_alive or len(lapsed) == len(held) else []
