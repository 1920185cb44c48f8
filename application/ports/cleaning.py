"""Cleaning: what has expired goes, in batches, beside anybody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ids import TaskId


@dataclass(frozen=True, slots=True)
class Expired:
    """How many tasks were deleted, and which of them still waited to be run."""

    deleted: int
    unrun: Sequence[TaskId] = ()


class Cleaning(Protocol):
    """The end of tasks."""

    def delete_expired(self, now: datetime, limit: int) -> Expired:
        """Before: expired, not running, not locked. After: unknown. The longest expired first, at most `limit`."""
        ...
