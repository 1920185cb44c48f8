"""Cleaning in memory."""

from datetime import datetime

from adapters.memory.state import State
from application.ports.cleaning import DeletedTasks
from domain.status import Status


class MemoryCleaning:
    """Implements application.ports.cleaning.Cleaning."""

    def __init__(self, state: State) -> None:
        self._state = state

    def delete_expired(self, now: datetime, limit: int) -> DeletedTasks:
        expired = [row.task for row in self._state.rows.values() if row.task.may_expire(now)]
        batch = sorted(expired, key=lambda task: (task.expire, task.id))[:limit]
        for task in batch:
            self._state.forget(task.id)
        return DeletedTasks(len(batch), sorted(task.id for task in batch if task.status is Status.WAITING))

    def fold_counts(self, limit: int) -> int:
        return 0
