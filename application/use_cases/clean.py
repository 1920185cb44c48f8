"""Clean: delete expired tasks, one batch at a time."""

from application.conflict_retry import retry_on_conflict
from application.errors import StorageConflict, StorageUnavailable
from application.ports.cleaning import MAX_BATCH_BYTES, DeletedTasks
from application.ports.clock import Clock
from application.ports.pending_work import PendingWork
from application.ports.unit_of_work import Begin
from domain.ids import TaskId

BATCH_TASKS = 5_000
"""Some ten milliseconds of work for the database; much smaller batches would mostly wait for their commits."""
LEFT_OUT_SECONDS = 60.0
"""Seconds for which a task is left out whose deletion was refused, or beside which a row was locked."""


class Clean:
    """Deletes expired tasks. Skips locked tasks, so it never waits for one. Used by one thread.

    A batch that takes the storage too long is never repeated as it is: the next one has half its bounds.
    """

    def __init__(self, begin: Begin, pending: PendingWork, clock: Clock) -> None:
        self._begin = begin
        self._pending = pending
        self._clock = clock
        self._part = 1
        self._left_out: dict[TaskId, float] = {}

    def __call__(self, limit: int = BATCH_TASKS) -> DeletedTasks:
        """Delete one batch. After a full one there may be more to delete."""
        self._forget_left_out()
        try:
            expired = self._delete(max(1, limit // self._part), MAX_BATCH_BYTES // self._part)
        except StorageConflict:
            raise
        except StorageUnavailable:
            self._part = min(2 * self._part, limit)
            raise
        self._part = max(1, self._part // 2)
        until = self._clock.monotonic() + LEFT_OUT_SECONDS
        self._left_out |= dict.fromkeys(expired.refused, until)
        return expired

    @retry_on_conflict
    def _delete(self, limit: int, max_bytes: int) -> DeletedTasks:
        now = self._clock.now()
        if not self._pending.has_expired(now):
            return DeletedTasks(0)
        with self._begin() as work:
            expired = work.cleaning.delete_expired(now, limit, max_bytes, self._left_out.keys())
            work.commit()
        return expired

    def _forget_left_out(self) -> None:
        now = self._clock.monotonic()
        self._left_out = {id: until for id, until in self._left_out.items() if until > now}
