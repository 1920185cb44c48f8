"""Rescue from dead processes: take back the tasks of handlers of this machine whose processes have ended."""

from collections.abc import Sequence

from application.conflict_retry import retry_on_conflict
from application.ports.clock import Clock
from application.ports.processes import Processes
from application.ports.unit_of_work import Begin
from application.ports.wake_up import Notifier
from application.use_cases.settle_lost import MAX_HELD_TASKS, notify_lost, settle_lost
from domain.ids import HandlerId
from domain.task import Task


class RescueFromDeadProcesses:
    """Takes back tasks before their leases lapse, since a process that has ended renews none."""

    def __init__(self, begin: Begin, clock: Clock, notifier: Notifier, processes: Processes) -> None:
        self._begin = begin
        self._clock = clock
        self._notifier = notifier
        self._processes = processes

    @retry_on_conflict
    def __call__(self) -> Sequence[Task]:
        """Take back the tasks of each dead handler. The tasks after that."""
        with self._begin() as work:
            known = work.types.processes()
        dead = [handler for handler, process in known.items() if self._processes.has_ended(process)]
        return [task for handler in dead for task in self._rescue_from(handler)]

    def _rescue_from(self, handler: HandlerId) -> Sequence[Task]:
        with self._begin() as work:
            tasks = settle_lost(work, work.queue.running_under(handler, MAX_HELD_TASKS), self._clock.now())
            if not tasks:
                work.types.withdraw(handler)
            work.commit()
        notify_lost(self._notifier, tasks)
        return tasks
