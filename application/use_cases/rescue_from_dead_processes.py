"""Rescue from dead processes: take back the tasks of handlers of this machine whose processes have ended."""

import logging
from collections.abc import Mapping, Sequence

from application.conflict_retry import retry_on_conflict
from application.errors import StorageConflict
from application.isolation import isolate, log_once
from application.ports.clock import Clock
from application.ports.pending_work import PendingWork
from application.ports.processes import Processes
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier
from application.use_cases.settle_lost import BATCH_TASKS, MAX_ISOLATION_SECONDS, notify_lost, settle_lost, timer
from domain.ids import HandlerId
from domain.settlement import Settlement
from domain.task import Task

log = logging.getLogger(__name__)


class RescueFromDeadProcesses:
    """Takes back tasks before their leases lapse, since a process that has ended renews none."""

    def __init__(
        self, begin: Begin, pending: PendingWork, clock: Clock, notifier: Notifier, processes: Processes
    ) -> None:
        self._begin = begin
        self._pending = pending
        self._clock = clock
        self._notifier = notifier
        self._processes = processes

    def __call__(self) -> Sequence[Task]:
        """Take back the tasks of each dead handler. The tasks after that; of a handler with a lock they are left."""
        dead = [handler for handler, process in self._known().items() if self._processes.has_ended(process)]
        return [task for handler in dead for task in isolate([handler], self._rescue_from, _leave)]

    @retry_on_conflict
    def _known(self) -> Mapping[HandlerId, str]:
        return self._pending.processes()

    def _rescue_from(self, handlers: Sequence[HandlerId]) -> Sequence[Task]:
        (handler,) = handlers
        try:
            settled = self._taken_back(handler)
        except StorageConflict:
            return []  # A record of one of their starts is locked, or the handlers are: the next call tries again.
        return notify_lost(self._notifier, settled)

    def _taken_back(self, handler: HandlerId) -> Sequence[Settlement]:
        with self._begin() as work:
            held = work.queue.running_under(handler, BATCH_TASKS)
            settled = settle_lost(work, held, self._clock.now(), is_time_up=timer(self._clock, MAX_ISOLATION_SECONDS))
            if not settled:
                work.types.withdraw(handler)
            work.commit()
        return settled


def _leave(handler: HandlerId, error: Exception) -> Sequence[Task]:
    line = f"the tasks of handler {handler}, whose process has ended, cannot be taken back"
    log_once(log, line, error, handler=handler)
    return []
