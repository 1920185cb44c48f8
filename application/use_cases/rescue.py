"""Rescue: take back what handlers held that are gone."""

from collections.abc import Sequence

from application.errors import StorageUnavailable
from application.ports.clock import Clock
from application.ports.wake_up import Notifier, Topic
from application.ports.work import Begin
from application.retried import retried
from domain.instants import after
from domain.settlement import Settlement
from domain.status import Status
from domain.task import Task

BATCH = 500


class Rescue:
    """Holds still for one lease after the storage was away or has started: whoever lives renews, and loses nothing."""

    def __init__(self, begin: Begin, clock: Clock, notifier: Notifier, lease: float) -> None:
        self._begin = begin
        self._clock = clock
        self._notifier = notifier
        self._lease = lease
        self._quiet_until: float | None = None

    @retried
    def __call__(self) -> Sequence[Task]:
        """The tasks that were taken back, as they are now; one batch. A full one says that there may be more."""
        try:
            return self._take_back() if self._may() else []
        except StorageUnavailable:
            self._quiet_until = None
            raise

    def _may(self) -> bool:
        now = self._clock.monotonic()
        if self._quiet_until is None:
            with self._begin() as work:
                work.queue.abandoned(self._clock.now(), 1)
            self._quiet_until = now + self._lease
        return now >= self._quiet_until

    def _take_back(self) -> Sequence[Task]:
        now = self._clock.now()
        with self._begin() as work:
            abandoned = work.queue.abandoned(now, BATCH)
            if not abandoned or now < after(work.queue.up_since(), self._lease):
                return []
            settlements = [Settlement.lost(task, now) for task in abandoned]
            work.queue.settle(settlements)
            work.commit()
        tasks = [settlement.task for settlement in settlements]
        if any(task.status is Status.WAITING for task in tasks):
            self._notifier.notify(Topic.WAITING)
        self._notifier.notify(Topic.TAKEN)
        return tasks
