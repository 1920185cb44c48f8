"""Renew the leases of held tasks, and drop the tasks that are not held any more."""

from collections.abc import Sequence
from math import inf

from application.ports.background import BackgroundRunner
from application.ports.queue import RenewalResult
from application.supervisor.operations.operation import Context
from domain.ids import Hold

LOCKED_RETRY_SECONDS = 0.1
"""Seconds after which locked tasks are renewed again: less than a rescuer waits with a task that it has found free."""


class RenewLeases:
    """Due three times a lease, while any task is held.

    An ended task is renewed until its settlement is written, which may have to wait for its turn or for a lock. Locked
    tasks are renewed again soon, so that their leases are fresh when the lock is let go.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state
        self._timer = context.timer()
        self._retry = context.timer()
        self._locked: Sequence[Hold] = ()

    def due_in(self) -> float:
        # A handler whose record was deleted has tasks to renew before it has published again.
        if not self._state.published and self._state.is_empty:
            return inf
        return min(self._timer.due_in(), self._retry.due_in() if self._locked else inf)

    def send(self, runner: BackgroundRunner) -> None:
        holds = self._state.holds_to_renew()
        if self._timer.due_in() <= 0:
            self._timer.set(self._context.identity.lease / 3)
        else:
            held = {*holds}
            holds = [hold for hold in self._locked if hold in held]
        self._locked = ()
        runner.submit(lambda: self._context.autocommit.renew(holds, self._context.lease()), self._on_answer)

    def _on_answer(self, result: RenewalResult) -> None:
        self._state.tally.renewed_at = self._state.clock.monotonic()
        self._state.drop_lost(result.lost)
        self._locked = result.locked
        self._retry.set(LOCKED_RETRY_SECONDS)
