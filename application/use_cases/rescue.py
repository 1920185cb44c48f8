"""Rescue: give a silent handler up, and take back its running tasks, once their leases have lapsed (LEASE seconds)."""

from collections.abc import Callable, Collection, Iterable, Sequence, Set

from application.errors import StorageConflict
from application.ports.autocommit import AutocommitStore
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin, UnitOfWork
from application.ports.wake_up import Notifier
from application.rescue_guard import RescueGuard
from application.use_cases.settle_lost import BATCH_TASKS, MAX_ISOLATION_SECONDS, notify_lost, settle_lost, timer
from domain.ids import HandlerId, Hold, TaskId
from domain.lease import Lease
from domain.settlement import Settlement
from domain.task import Task

LEFT_OUT_SECONDS, UNEXAMINED_SECONDS = 600.0, 30.0
"""Seconds for which a task is left out that was refused, or for which there was no time beside such tasks."""


class Rescue:
    """Takes back tasks under leases that were not renewed for a lease in which renewals were possible.

    A look that finds no lapsed lease is one round trip, so that a slow line permits looks as often as the guard wants
    them. Used by one thread.

    `guard`: observes the leases. Other users of the storage may ask it how long renewals have been possible.
    `own`: the handler on whose behalf it looks; a handler takes back nothing that it holds itself.
    """

    def __init__(
        self,
        begin: Begin,
        autocommit: AutocommitStore,
        clock: Clock,
        notifier: Notifier,
        lease: float,
        own: HandlerId | None = None,
    ) -> None:
        self._begin = begin
        self._autocommit = autocommit
        self._clock = clock
        self._notifier = notifier
        self._own = own
        self._left_out: dict[TaskId, float] = {}
        self.guard = RescueGuard(clock, lease)

    def __call__(self) -> Sequence[Task]:
        """Take back tasks of silent handlers. The tasks after that; after a full batch there may be others."""
        try:
            settled = self._rescued()
        except StorageConflict:
            # A table that is locked has kept handlers from renewing as well. The next look starts anew.
            self.guard.broken()
            return []
        except Exception:
            self.guard.broken()
            raise
        return notify_lost(self._notifier, settled)

    def _rescued(self) -> Sequence[Settlement]:
        lapsed = self._look()
        found = self._autocommit.lapsed(lapsed, BATCH_TASKS, self._present_left_out())
        free = {task.hold for task in self.guard.confirmed(found)}
        return self._take_back(lapsed, free) if free else []

    def _look(self) -> Set[Lease]:
        self.guard.begin()
        seen = self._autocommit.observe_leases()
        others = {lease: seconds for lease, seconds in seen.leases.items() if lease.handler != self._own}
        return self.guard.end(others, seen.up_since)

    def _take_back(self, lapsed: Set[Lease], free: Set[Hold]) -> Sequence[Settlement]:
        with self._begin() as work:
            found = work.queue.lapsed(lapsed, BATCH_TASKS, self._left_out)
            is_time_up = timer(self._clock, MAX_ISOLATION_SECONDS)
            by_handler = _by_handler(task for task in found if task.hold in free)
            settled = [each for held in by_handler for each in self._taken_back(work, held, is_time_up)]
            work.commit()
        return settled

    def _taken_back(
        self, work: UnitOfWork, held: Sequence[Task], is_time_up: Callable[[], bool]
    ) -> Sequence[Settlement]:
        """Take back the tasks of one handler, or none of them after a conflict. The others are left out for a while."""
        refused: list[TaskId] = []
        if is_time_up():
            return []
        try:
            with work.savepoint():
                settled = settle_lost(work, held, self._clock.now(), refused.append, is_time_up)
        except StorageConflict:
            return []  # A record of one of their starts is locked. The next look takes them back.
        unexamined = {task.id for task in held} - {each.task.id for each in settled}
        self._leave_out(unexamined, UNEXAMINED_SECONDS)
        self._leave_out(refused, LEFT_OUT_SECONDS)
        return settled

    def _leave_out(self, tasks: Iterable[TaskId], seconds: float) -> None:
        self._left_out |= dict.fromkeys(tasks, self._clock.monotonic() + seconds)

    def _present_left_out(self) -> Collection[TaskId]:
        now = self._clock.monotonic()
        self._left_out = {id: until for id, until in self._left_out.items() if until > now}
        return self._left_out


def _by_handler(tasks: Iterable[Task]) -> Iterable[Sequence[Task]]:
    """The tasks that each handler held."""
    held: dict[HandlerId | None, list[Task]] = {}
    for task in tasks:
        held.setdefault(task.hold.handler, []).append(task)
    return held.values()
