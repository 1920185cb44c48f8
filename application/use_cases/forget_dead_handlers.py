"""Forget dead handlers: delete the records of handlers that died long ago."""

from application.conflict_retry import retry_on_conflict
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin


class ForgetDeadHandlers:
    """Forgets the handlers that died DEAD_HANDLER_RETENTION ago. Skips locked records."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    @retry_on_conflict
    def __call__(self) -> int:
        """Forget them all. Their number."""
        with self._begin() as work:
            forgotten = work.types.forget_dead(self._clock.now())
            work.commit()
        return forgotten
