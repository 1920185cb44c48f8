"""Batches in memory. The counts are those of the rows, and of the tasks that State.forget has deleted."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.memory.state import BatchRow, State
from application.ports.batches import FIRST, BatchRecord, NewBatch
from domain.batch import Batch, BatchCount, BatchCounts
from domain.ids import BatchId, IdempotencyKey, Owner, TaskId
from domain.status import Status


class MemoryBatchRepository:
    """Implements application.ports.batches.BatchRepository."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, batch: NewBatch) -> Batch | None:
        if batch.key is not None and self.with_key(batch.key):
            return None
        self._state.last_batch_id += 1
        new = batch.registered(BatchId(self._state.last_batch_id))
        self._state.batches[new.id] = BatchRow(new, batch.key, batch.fingerprint, owner=batch.owner)
        return new

    def remember(self, id: BatchId, ids: Sequence[TaskId], then: TaskId | None = None) -> None:
        row = self._state.batches[id]
        self._state.batches[id] = replace(row, ids=tuple(ids), batch=replace(row.batch, then=then))

    def get(self, id: BatchId) -> BatchRecord | None:
        row = self._state.batches.get(id)
        return self._record(row) if row else None

    def with_key(self, key: IdempotencyKey) -> BatchRecord | None:
        row = next((row for row in self._state.batches.values() if row.key == key), None)
        return replace(self._record(row), ids=row.ids, fingerprint=row.fingerprint) if row else None

    def search(self, before: BatchId | None, limit: int, owner: Owner | None = None) -> Sequence[BatchRecord]:
        rows = (row for id, row in self._state.batches.items() if before is None or id < before)
        wanted = (row for row in rows if owner is None or row.owner == owner)
        newest = sorted(wanted, key=lambda row: row.batch.id, reverse=True)
        return [self._record(row) for row in newest[:limit]]

    def lock(self, id: BatchId) -> Batch | None:
        row = self._state.batches.get(id)
        return row.batch if row else None

    def lock_for_adding(self, id: BatchId) -> Batch | None:
        return self.lock(id)

    def lock_free(self, ids: Collection[BatchId]) -> Sequence[Batch]:
        return [self._state.batches[id].batch for id in sorted({*ids}) if id in self._state.batches]

    def counts(self, ids: Collection[BatchId]) -> Mapping[BatchId, BatchCounts]:
        return {id: self._counts(id) for id in ids if id in self._state.batches}

    def save(self, *batches: Batch) -> None:
        for batch in batches:
            self._state.put_batch(batch)

    def resume(self, ids: Collection[BatchId], then: Collection[TaskId] = ()) -> None:
        """Ignore the followers: `due` looks at every batch."""
        self.save(*(batch.resumed() for batch in self.lock_free(ids)))

    def resume_free(self, ids: Collection[BatchId]) -> Set[BatchId]:
        self.resume(ids)
        return frozenset()

    def due(self, now: datetime, limit: int, after: BatchId = FIRST) -> Sequence[BatchId]:
        batches = (row.batch for id, row in self._state.batches.items() if id > after)
        due = (
            each.id
            for each in batches
            if (each.is_open and each.has_expired(now))
            or each.finished_at(now, self._counts(each.id)) != each
            or (each.finished and self._is_blocked(each.then))
        )
        return sorted(due)[:limit]

    def unfolded(self, limit: int, after: BatchId = FIRST) -> Mapping[BatchId, int]:
        return {}

    def fold(self, ids: Collection[BatchId]) -> int:
        return 0

    def delete_expired(self, now: datetime, limit: int) -> int:
        batches = (row.batch for row in self._state.batches.values())
        expired = [each for each in batches if each.finished and each.has_expired(now)]
        first = sorted(expired, key=lambda each: each.expire)[:limit]
        of_tasks = {row.task.batch for row in self._state.rows.values()}
        kept = [each for each in first if each.id in of_tasks or each.then in self._state.rows]
        gone = [each.id for each in first if each not in kept]
        self.save(*(replace(each, expire=now + timedelta(minutes=1)) for each in kept))
        for id in gone:
            del self._state.batches[id]
            self._state.batch_deliveries.pop(id, None)
        return len(first)

    def _is_blocked(self, id: TaskId | None) -> bool:
        row = self._state.rows.get(id) if id is not None else None
        return row is not None and row.task.status is Status.WAITING and row.task.is_blocked

    def _record(self, row: BatchRow) -> BatchRecord:
        delivery = self._state.batch_deliveries.get(row.batch.id)
        return BatchRecord(row.batch, self._counts(row.batch.id), delivery=delivery, owner=row.owner)

    def _counts(self, id: BatchId) -> BatchCounts:
        counts = Counter(BatchCount(row.task.status) for row in self._state.rows.values() if row.task.batch == id)
        deleted = self._state.deleted_of_batches[id]
        return BatchCounts({**counts, BatchCount.DELETED: deleted} if deleted else dict(counts))
