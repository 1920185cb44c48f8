"""Cleaning: the removal of expired data in batches, beside any other work on the storage."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.ids import TaskId, TypeName
from domain.traceparent import Traceparent

MAX_BATCH_BYTES = 64 * 1024 * 1024
"""Stored bytes of arguments and results of one batch, which a slow disk deletes in a second or two."""


@dataclass(frozen=True, slots=True)
class DeletedTasks:
    """One batch of deletions.

    - `deleted`: the number of deleted tasks.
    - `unrun`: the types, by their ids, of those that were still waiting to run.
    - `traces`: the places of some of these in a trace.
    - `refused`: expired tasks whose deletion the storage refuses.
    - `is_full`: whether a bound ended the batch, so that more tasks may have expired.
    """

    deleted: int
    unrun: Mapping[TaskId, TypeName] = field(default_factory=dict)
    traces: Mapping[TaskId, Traceparent] = field(default_factory=dict)
    refused: Sequence[TaskId] = field(default=(), compare=False)
    is_full: bool = field(default=False, compare=False)


class Cleaning(Protocol):
    """Deletes expired tasks, and compacts the counts."""

    def delete_expired(
        self, now: datetime, limit: int, max_bytes: int = MAX_BATCH_BYTES, left_out: Collection[TaskId] = ()
    ) -> DeletedTasks:
        """Before: expired, not running, not left out. After: unknown. The longest expired first.

        - Parents: one that has finished is kept for another minute instead while a dependent of it has not.
        - Bounds: at most `limit` tasks, whose arguments and results have at most `max_bytes` as they are stored. The
          first task is deleted however large it is.
        - Locks: a task is skipped that is locked, or whose delivery, record of a start, link to its origin or entry of
          its failure is.
        """
        ...

    def fold_counts(self, limit: int) -> int:
        """After: the counts are the same in fewer entries. The number of entries that were merged, at most `limit`."""
        ...
