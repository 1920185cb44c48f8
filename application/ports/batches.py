"""The batch repository: batches, and the counts of their tasks."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.batch import Batch, BatchCounts
from domain.delivery import Delivery
from domain.ids import BatchId, IdempotencyKey, Owner, TaskId

FIRST = BatchId(0)
"""An id below all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """A batch before the storage has given it an id.

    - `ttl`: seconds for which it is kept.
    - `key`: the idempotency key; at most one batch at a time has it.
    - `fingerprint`: a hash of the whole request, which tells whether a repeated key comes with the same one.
    """

    now: datetime
    ttl: int
    name: str | None = None
    labels: str | None = None
    is_open: bool = False
    callback: str | None = None
    key: IdempotencyKey | None = None
    fingerprint: str | None = None
    owner: Owner | None = None

    def registered(self, id: BatchId) -> Batch:
        """The new batch with that id."""
        return Batch.created_at(
            self.now,
            self.ttl,
            id=id,
            name=self.name,
            labels=self.labels,
            is_open=self.is_open,
            callback=self.callback,
        )


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch and the counts of its tasks.

    - `ids`: those of the tasks with which it was created, where `with_key` returned it.
    - `fingerprint`: that of its request, likewise.
    - `delivery`: how far the callback of a finished batch has been delivered, where it has one.
    - `owner`: to whom it belongs; None of one that was made where the API is open.
    """

    batch: Batch
    counts: BatchCounts
    ids: Sequence[TaskId] = ()
    fingerprint: str | None = None
    delivery: Delivery | None = None
    owner: Owner | None = None


class BatchRepository(Protocol):
    """Every batch by its id. Ids are whole numbers from 1 that rise in the order of adding.

    The counts follow every change of the tasks, whatever makes it.
    """

    def add(self, batch: NewBatch) -> Batch | None:
        """Add a batch without tasks; None, and no batch, if another one has its key.

        Raises StorageConflict: another transaction has not decided for long whether it takes the key.
        """
        ...

    def remember(self, id: BatchId, ids: Sequence[TaskId], then: TaskId | None = None) -> None:
        """Before: a new batch of this unit of work. After: it has the ids of its first tasks, and its follower."""
        ...

    def get(self, id: BatchId) -> BatchRecord | None:
        """Return the record of a batch; None if there is no such batch."""
        ...

    def with_key(self, key: IdempotencyKey) -> BatchRecord | None:
        """Return the record of the batch that has the key; None if none has."""
        ...

    def search(self, before: BatchId | None, limit: int, owner: Owner | None = None) -> Sequence[BatchRecord]:
        """Return at most `limit` batches, the newest first: those with ids below `before`, of this owner, if given."""
        ...

    def lock(self, id: BatchId) -> Batch | None:
        """Lock a batch until the unit of work ends, and return it; None if there is no such batch."""
        ...

    def lock_for_adding(self, id: BatchId) -> Batch | None:
        """Keep a batch from being closed until the unit of work ends, beside others that add tasks to it."""
        ...

    def lock_free(self, ids: Collection[BatchId]) -> Sequence[Batch]:
        """Lock those of the batches that no other transaction has locked, and return them by rising id."""
        ...

    def counts(self, ids: Collection[BatchId]) -> Mapping[BatchId, BatchCounts]:
        """Return the counts of the existing batches, as of this call."""
        ...

    def save(self, *batches: Batch) -> None:
        """Store batches as given. Before: locked by this unit of work. After: as given."""
        ...

    def resume(self, ids: Collection[BatchId], then: Collection[TaskId] = ()) -> None:
        """Lock all these batches by rising id, and have them go on.

        Before: tasks of the batches, and the blocked tasks `then`, were retried in this unit of work. After: the
        batches are not finished, and `due` returns those that the blocked tasks follow.
        """
        ...

    def resume_free(self, ids: Collection[BatchId]) -> Set[BatchId]:
        """As `resume`, but wait for no other transaction: return those that are locked, which stay as they are."""
        ...

    def due(self, now: datetime, limit: int, after: BatchId = FIRST) -> Sequence[BatchId]:
        """Return batches that may be ready to finish, or to be closed since they have expired, by rising id.

        They are at most `limit`, with ids above `after`. Each that is ready is returned sooner or later, once the
        counts were folded. One that was returned is not returned again after it was saved, unless its tasks change.
        """
        ...

    def unfolded(self, limit: int, after: BatchId = FIRST) -> Mapping[BatchId, int]:
        """Return batches whose counts have entries to merge, with ids above `after`, and the number of their entries.

        They are those of the first `limit` entries by rising id.
        """
        ...

    def fold(self, ids: Collection[BatchId]) -> int:
        """After: the counts are the same in fewer entries. The number of entries that were merged.

        Skips batches that another transaction has locked.
        """
        ...

    def delete_expired(self, now: datetime, limit: int) -> int:
        """Delete finished batches that have expired and of which no task is left.

        Return the number of those that were looked at; none of them is looked at again for a minute. One is kept as
        well while the task that follows it is there, which may be retried. One that cannot be deleted is left aside.
        """
        ...
