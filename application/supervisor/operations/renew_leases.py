"""Renew the leases of held tasks, and drop the tasks that are not held any more."""

from collections.abc import Sequence
from math import inf

from application.ports.background import BackgroundRunner
from application.ports.queue import RenewalResult
from application.supervisor.operations.operation import Context
from domain.ids import Hold


class RenewLeases:
    """Due three times a lease, even without held tasks, since it renews the handler's own record as well.

    An ended task is renewed until its settlement is written, which may have to wait for its turn or for a lock. Locked
    tasks are renewed again at once: when the lock is let go, their lease may have lapsed, and the first to write wins.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state
        self._timer = context.timer()
        self._locked: Sequence[Hold] = ()

    def due_in(self) -> float:
        if not self._state.published:
            return inf
        return 0 if self._locked else self._timer.due_in()

    def send(self, runner: BackgroundRunner) -> None:
        holds, is_time = self._state.holds_to_renew(), self._timer.due_in() <= 0
        if is_time:
            self._timer.set(self._context.identity.lease / 3)
        else:
            holds = [hold for hold in self._locked if hold in holds]
        self._locked = ()

        def call() -> tuple[bool, RenewalResult]:
            with self._context.begin() as work:
                lease = self._context.lease()
                is_known = not is_time or work.types.renew(lease.handler, lease.until)
                result = work.queue.renew(holds, lease)
                work.commit()
            return is_known, result

        runner.submit(call, lambda answer: self._on_answer(*answer))

    def _on_answer(self, is_known: bool, result: RenewalResult) -> None:
        self._state.drop_lost(result.lost)
        self._locked = result.locked
        if not is_known:
            self._state.published = ()
