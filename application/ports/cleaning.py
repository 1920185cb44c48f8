"""Cleaning: what is not needed any more goes, in batches, beside anybody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ids import TaskId


@dataclass(frozen=True, slots=True)
class DeletedTasks:
    """How many tasks were deleted, and which of them still waited to be run."""

    deleted: int
    unrun: Sequence[TaskId] = ()


class Cleaning(Protocol):
    """The end of tasks, and of what has piled up."""

    def delete_expired(self, now: datetime, limit: int) -> DeletedTasks:
        """Before: expired, not running, not locked. After: unknown. The longest expired first, at most `limit`."""
        ...

    def fold_counts(self, limit: int) -> int:
        """The counts stay as they are, and take less to read. How many entries went into others, at most `limit`."""
        ...
