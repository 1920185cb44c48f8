"""Renew the record of this handler, by which others know that it lives."""

from math import inf

from application.errors import StorageConflict
from application.ports.background import BackgroundRunner
from application.supervisor.operations.operation import Context


class RenewRecord:
    """Due three times a lease. A locked record is left as it is until the next time: nothing waits for its lock.

    It is no part of the renewal of leases, which no lock on the records of handlers may delay.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state
        self._timer = context.timer()

    def due_in(self) -> float:
        return self._timer.due_in() if self._state.published else inf

    def send(self, runner: BackgroundRunner) -> None:
        self._timer.set(self._context.identity.lease / 3)
        runner.submit(self._renew, self._on_answer)

    def _renew(self) -> bool:
        """Whether the record is there."""
        lease = self._context.lease()
        try:
            with self._context.begin() as work:
                is_known = work.types.renew(lease.handler, lease.until)
                work.commit()
        except StorageConflict:
            return True
        return is_known

    def _on_answer(self, is_known: bool) -> None:
        if not is_known:
            self._state.published = ()
