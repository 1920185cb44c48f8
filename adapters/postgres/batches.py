"""Batches in PostgreSQL: a row for each, and changes of its counts that triggers append."""

import json
import logging
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, TextClause

from adapters.postgres import rows, statements
from adapters.postgres.deliveries import PostgresDeliveries
from adapters.postgres.driver_errors import reason
from adapters.postgres.savepoint import savepoint
from application.isolation import isolate, log_once
from application.ports.batches import FIRST, BatchRecord, NewBatch
from domain.batch import Batch, BatchCount, BatchCounts
from domain.delivery import Subject
from domain.ids import BatchId, IdempotencyKey, Owner, TaskId

MAX_ID = 2**63 - 1
UNKNOWN_ID = BatchId(0)
log = logging.getLogger(__name__)


class PostgresBatchRepository:
    """Implements application.ports.batches.BatchRepository."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, batch: NewBatch) -> Batch | None:
        new = batch.registered(UNKNOWN_ID)
        row = self._connection.execute(
            statements.ADD_BATCH,
            _columns(new) | {"key": batch.key, "fingerprint": batch.fingerprint, "owner": batch.owner},
        ).first()
        return batch.registered(BatchId(row.id)) if row else None

    def remember(self, id: BatchId, ids: Sequence[TaskId], then: TaskId | None = None) -> None:
        self._connection.execute(statements.REMEMBER_TASKS, {"id": id, "ids": list(ids), "then": then})

    def get(self, id: BatchId) -> BatchRecord | None:
        row = self._connection.execute(statements.BATCH, {"id": id}).first()
        return self._records([row])[0] if row else None

    def with_key(self, key: IdempotencyKey) -> BatchRecord | None:
        row = self._connection.execute(statements.BATCH_WITH_KEY, {"key": key}).first()
        return replace(self._records([row])[0], ids=row.ids or (), fingerprint=row.fingerprint) if row else None

    def search(self, before: BatchId | None, limit: int, owner: Owner | None = None) -> Sequence[BatchRecord]:
        bounds = {"before": MAX_ID if before is None else before, "limit": limit, "owner": owner}
        statement = statements.BATCHES if owner is None else statements.BATCHES_OF_OWNER
        return self._records(self._connection.execute(statement, bounds).all())

    def lock(self, id: BatchId) -> Batch | None:
        row = self._connection.execute(statements.LOCK_BATCH, {"id": id}).first()
        return _batch(row) if row else None

    def lock_for_adding(self, id: BatchId) -> Batch | None:
        row = self._connection.execute(statements.LOCK_BATCH_FOR_ADDING, {"id": id}).first()
        return _batch(row) if row else None

    def lock_free(self, ids: Collection[BatchId]) -> Sequence[Batch]:
        return [_batch(row) for row in self._connection.execute(statements.LOCK_FREE_BATCHES, {"ids": [*ids]})]

    def counts(self, ids: Collection[BatchId]) -> Mapping[BatchId, BatchCounts]:
        found = self._connection.execute(statements.BATCH_COUNTS, {"ids": [*ids]})
        return {BatchId(row.id): _counts(row) for row in found}

    def save(self, *batches: Batch) -> None:
        for batch in batches:
            self._connection.execute(statements.SAVE_BATCH, _columns(batch))

    def resume(self, ids: Collection[BatchId], then: Collection[TaskId] = ()) -> None:
        if ids or then:
            self._connection.execute(statements.RESUME_BATCHES, {"ids": [*ids], "then": [*then]})

    def resume_free(self, ids: Collection[BatchId]) -> Set[BatchId]:
        if not ids:
            return frozenset()
        return {*self._connection.execute(statements.RESUME_FREE_BATCHES, {"ids": [*ids]}).scalars()}

    def due(self, now: datetime, limit: int, after: BatchId = FIRST) -> Sequence[BatchId]:
        bounds = {"now": now, "limit": limit, "after": after}
        return self._connection.execute(statements.DUE_BATCHES, bounds).scalars().all()

    def unfolded(self, limit: int, after: BatchId = FIRST) -> Mapping[BatchId, int]:
        found = self._connection.execute(statements.UNFOLDED_BATCHES, {"limit": limit, "after": after})
        return {BatchId(row.batch): row.entries for row in found}

    def fold(self, ids: Collection[BatchId]) -> int:
        folded: int = self._connection.execute(statements.FOLD_BATCHES, {"ids": [*ids]}).scalar_one()
        return folded

    def delete_expired(self, now: datetime, limit: int) -> int:
        expired = self._connection.execute(statements.LOCK_EXPIRED_BATCHES, {"now": now, "limit": limit}).all()
        kept = [row.id for row in expired if row.is_kept]

        def change(statement: TextClause, ids: Sequence[int]) -> Sequence[int]:
            with savepoint(self._connection):
                return self._connection.execute(statement, {"ids": list(ids), "now": now}).scalars().all()

        def keep(id: int, error: Exception) -> Sequence[int]:
            log_once(log, f"the expired batch {id} cannot be deleted: {reason(error)}")
            kept.append(id)
            return []

        def leave(id: int, error: Exception) -> Sequence[int]:
            log_once(log, f"the expired batch {id} cannot be kept: {reason(error)}")
            return []

        deleted = isolate(
            [row.id for row in expired if not row.is_kept], partial(change, statements.DELETE_BATCHES), keep
        )
        return len(deleted) + len(isolate(kept, partial(change, statements.KEEP_BATCHES), leave))

    def _records(self, found: Sequence[Any]) -> Sequence[BatchRecord]:
        # Few batches have a callback: the others are spared the look-up.
        told = [row.id for row in found if row.callback is not None]
        deliveries = PostgresDeliveries(self._connection).get_many(told, Subject.BATCH)
        return [
            BatchRecord(_batch(row), _counts(row), delivery=deliveries.get(row.id), owner=row.owner) for row in found
        ]


def _batch(row: Any) -> Batch:
    return Batch(
        id=BatchId(row.id),
        created=row.created,
        expire=row.expire,
        ttl=row.ttl,
        name=rows.text_of(row.name),
        labels=row.labels,
        is_open=row.is_open,
        finished=row.finished,
        then=row.then_task,
        callback=row.callback,
    )


def _columns(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "created": batch.created,
        "expire": batch.expire,
        "ttl": batch.ttl,
        "name": None if batch.name is None else json.dumps(batch.name),
        "labels": batch.labels,
        "is_open": batch.is_open,
        "finished": batch.finished,
        "then_task": batch.then,
        "callback": batch.callback,
    }


def _counts(row: Any) -> BatchCounts:
    return BatchCounts({status: number for status in BatchCount if (number := getattr(row, status))})
