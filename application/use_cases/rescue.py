"""Rescue: give a silent handler up, and take back its running tasks, once their leases have lapsed (LEASE seconds)."""

from collections.abc import Iterable, Sequence

from application.errors import StorageConflict
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier
from application.rescue_guard import RescueGuard
from application.use_cases.settle_lost import BATCH_TASKS, notify_lost, settle_lost
from domain.ids import HandlerId
from domain.task import Task


class Rescue:
    """Takes back tasks under leases that were not renewed for a lease in which renewals were possible.

    `guard`: observes the leases. Other users of the storage may ask it how long renewals have been possible.
    `own`: the handler on whose behalf it looks; a handler takes back nothing that it holds itself.
    """

    def __init__(
        self, begin: Begin, clock: Clock, notifier: Notifier, lease: float, own: HandlerId | None = None
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._notifier = notifier
        self._own = own
        self.guard = RescueGuard(clock, lease)

    def __call__(self) -> Sequence[Task]:
        """Take back tasks of silent handlers. The tasks after that; after a full batch there may be others."""
        try:
            tasks = self._rescued()
        except StorageConflict:
            # A table that is locked has kept handlers from renewing as well. The next look starts anew.
            self.guard.broken()
            return []
        except Exception:
            self.guard.broken()
            raise
        notify_lost(self._notifier, tasks)
        return tasks

    def _rescued(self) -> Sequence[Task]:
        self.guard.begin()
        self._try_write()
        with self._begin() as work:
            leases = {lease: own for lease, own in work.queue.leases().items() if lease.handler != self._own}
            lapsed = self.guard.end(leases, work.queue.up_since())
            free = self.guard.confirmed(work.queue.lapsed(lapsed, BATCH_TASKS))
            tasks = [task for held in _by_handler(free) for task in self._taken_back(work, held)]
            if tasks:
                work.commit()
        return tasks

    def _taken_back(self, work: UnitOfWork, held: Sequence[Task]) -> Sequence[Task]:
        try:
            return settle_lost(work, held, self._clock.now())
        except StorageConflict:
            return []  # A record of one of their starts is locked. The next look takes them back.

    def _try_write(self) -> None:
        with self._begin() as work:
            work.queue.try_write()
            work.commit()


def _by_handler(tasks: Sequence[Task]) -> Iterable[Sequence[Task]]:
    """The tasks that each handler held."""
    held: dict[HandlerId | None, list[Task]] = {}
    for task in tasks:
        held.setdefault(task.lease.handler if task.lease else None, []).append(task)
    return held.values()
