"""Clean: delete expired tasks and forget dead handlers, one batch at a time."""

from application.conflict_retry import retry_on_conflict
from application.ports.cleaning import DeletedTasks
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin

BATCH_TASKS = 5_000
"""Some ten milliseconds of work for the database; much smaller batches would mostly wait for their commits."""


class Clean:
    """Deletes expired tasks, and forgets dead handlers. Skips locked tasks, so it never waits for one."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    @retry_on_conflict
    def __call__(self, limit: int = BATCH_TASKS) -> DeletedTasks:
        """Delete one batch. After a full one there may be more to delete."""
        now = self._clock.now()
        with self._begin() as work:
            expired = work.cleaning.delete_expired(now, limit)
            work.types.forget_dead(now)
            work.commit()
        return expired
