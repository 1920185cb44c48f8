"""Renew the record of this handler, by which others know that it lives."""

from math import inf

from application.errors import StorageConflict
from application.ports.background import BackgroundRunner
from application.supervisor.operations.operation import Context


class RenewRecord:
    """Due three times a lease, and when the handler begins to drain while it has tasks.

    A locked record is left as it is until the next time: nothing waits for its lock.

    It is no part of the renewal of leases, which no lock on the records of handlers may delay.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state
        self._timer = context.timer()
        self._has_told_draining = False

    def due_in(self) -> float:
        state = self._state
        if not state.published:
            return inf
        has_news = state.draining and not self._has_told_draining and not state.is_empty
        return 0 if has_news else self._timer.due_in()

    def send(self, runner: BackgroundRunner) -> None:
        self._timer.set(self._context.identity.lease / 3)
        self._has_told_draining = is_draining = self._state.draining
        runner.submit(lambda: self._renew(is_draining), self._on_answer)

    def _renew(self, is_draining: bool) -> bool:
        """Whether the record is there."""
        lease = self._context.lease()
        try:
            with self._context.begin() as work:
                is_known = work.types.renew(lease.handler, lease.until, is_draining)
                work.commit()
        except StorageConflict:
            return True
        return is_known

    def _on_answer(self, is_known: bool) -> None:
        if not is_known:
            self._state.published = ()
