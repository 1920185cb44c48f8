"""Forget types: delete abandoned types that no task has had for long, one batch at a time."""

from collections.abc import Sequence
from datetime import timedelta

from application.conflict_retry import retry_on_conflict
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from domain.ids import TypeName

BATCH_TYPES = 100


class ForgetTypes:
    """Forgets types that were abandoned `max_task_time` seconds ago and that no task has. Skips what is locked."""

    def __init__(self, begin: Begin, clock: Clock, max_task_time: int) -> None:
        self._begin = begin
        self._clock = clock
        self._retention = timedelta(seconds=max_task_time)

    @retry_on_conflict
    def __call__(self, limit: int = BATCH_TYPES) -> Sequence[TypeName]:
        """Note which types are abandoned, and forget one batch. After a full one there may be more to forget."""
        now = self._clock.now()
        with self._begin() as work:
            work.types.review(now)
            forgotten = work.types.forget_abandoned(now, now - self._retention, limit)
            work.commit()
        return forgotten
