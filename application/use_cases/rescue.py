"""Rescue: take back what handlers held that do not renew their leases any more."""

from collections.abc import Sequence

from application.conflict_retry import retried
from application.errors import StorageConflict, StorageUnavailable
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier
from application.rescue_guard import Vigil
from application.use_cases.settle_lost import BATCH, taken_back, tell
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
        self.vigil = Vigil(clock, lease)

    @retried
    def __call__(self) -> Sequence[Task]:
        """The tasks that were taken back, as they are now; one batch. A full one says that there may be more."""
        try:
            tasks = self._look()
        except StorageConflict:
            raise
        except StorageUnavailable:
            self.vigil.broken()
            raise
        tell(self._notifier, tasks)
        return tasks

    def _look(self) -> Sequence[Task]:
        self.vigil.begin()
        now = self._clock.now()
        with self._begin() as work:
            abandoned = work.queue.abandoned(now, BATCH)
            self.vigil.end()
            if not abandoned or not self.vigil.has_lasted or now < after(work.queue.up_since(), self._lease):
                return []
            tasks = taken_back(work, abandoned, now)
            work.commit()
        return tasks
