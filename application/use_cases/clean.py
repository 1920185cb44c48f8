"""Clean: delete what has expired, a batch at a time."""

from application.conflict_retry import retry_on_conflict
from application.ports.cleaning import DeletedTasks
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin

BATCH_TASKS = 5_000
"""Some ten milliseconds of the database; much smaller ones would mostly wait for their commits."""


class Clean:
    """Never blocked by a task that it may not delete."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    @retry_on_conflict
    def __call__(self, limit: int = BATCH_TASKS) -> DeletedTasks:
        """One batch. A full one says that there may be more."""
        now = self._clock.now()
        with self._begin() as work:
            expired = work.cleaning.delete_expired(now, limit)
            work.types.forget_dead(now)
            work.commit()
        return expired
