"""Cleaning: the removal of expired data in batches, beside any other work on the storage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ids import TaskId


@dataclass(frozen=True, slots=True)
class DeletedTasks:
    """The number of deleted tasks, and the ids of those that were still waiting to run."""

    deleted: int
    unrun: Sequence[TaskId] = ()


class Cleaning(Protocol):
    """Deletes expired tasks, and compacts the counts."""

    def delete_expired(self, now: datetime, limit: int) -> DeletedTasks:
        """Before: expired, not running, not locked. After: unknown. At most `limit`, the longest expired first."""
        ...

    def fold_counts(self, limit: int) -> int:
        """After: the counts are the same in fewer entries. The number of entries that were merged, at most `limit`."""
        ...
