"""Cleaning in memory."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from adapters.memory.state import Row, State
from application.ports.cleaning import MAX_BATCH_BYTES, DeletedTasks
from domain.dependencies import kept_until
from domain.ids import TaskId
from domain.status import Status
from domain.task import Task


class MemoryCleaning:
    """Implements application.ports.cleaning.Cleaning."""

    def __init__(self, state: State) -> None:
        self._state = state

    def delete_expired(
        self, now: datetime, limit: int, max_bytes: int = MAX_BATCH_BYTES, left_out: Collection[TaskId] = ()
    ) -> DeletedTasks:
        rows = (row for id, row in self._state.rows.items() if id not in left_out)
        expired = sorted(
            (row for row in rows if row.task.may_expire(now)), key=lambda row: (row.task.expire, row.task.id)
        )
        looked_at = [row.task for row in within_bytes(expired[:limit], max_bytes)]
        batch = [task for task in looked_at if not self._is_needed(task)]
        for task in looked_at:
            if self._is_needed(task):
                self._state.put_task(replace(task, expire=kept_until(now)))
        for task in batch:
            self._state.forget(task.id)
        waited = [task for task in sorted(batch, key=attrgetter("id")) if task.status is Status.WAITING]
        unrun = {task.id: task.type for task in waited}
        traces = {task.id: task.traceparent for task in waited if task.traceparent}
        return DeletedTasks(len(batch), unrun, traces, is_full=len(batch) < len(expired) or len(batch) == limit)

    def _is_needed(self, task: Task) -> bool:
        """Whether it has finished, and a dependent of it has not."""
        dependents = (self._state.rows[id].task for id in self._state.dependents_of(task.id))
        return task.status.is_final and any(not each.status.is_final for each in dependents)

    def fold_counts(self, limit: int) -> int:
        return 0


def within_bytes(rows: Sequence[Row], max_bytes: int) -> Iterator[Row]:
    """Yield the first rows whose texts have at most that many bytes together; the very first in any case."""
    total = 0
    for nth, row in enumerate(rows):
        total += len(row.args.encode()) + len((row.result or "").encode())
        if nth and total > max_bytes:
            return
        yield row
