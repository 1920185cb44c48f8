"""Pending work in PostgreSQL: each question is one autocommit statement, sent by the driver."""

from collections.abc import Collection, Mapping
from datetime import datetime

from adapters.postgres import statements
from adapters.postgres.database import Database
from application.ports.batches import FIRST
from application.ports.monitoring import DrainRequest
from domain.ids import BatchId, HandlerId
from domain.schedule import ABANDONED_RETENTION


class PostgresPendingWork:
    """Implements application.ports.pending_work.PendingWork. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has_expired(self, now: datetime) -> bool:
        return bool(self._database.execute_autocommit(statements.HAS_EXPIRED, {"now": now}))

    def has_batch_work(self, now: datetime) -> bool:
        return bool(
            self._database.execute_autocommit(statements.HAS_BATCH_WORK, {"now": now, "limit": 1, "after": FIRST})
        )

    def finished_batches(self, ids: Collection[BatchId]) -> Collection[BatchId]:
        found = self._database.execute_autocommit(statements.FINISHED_BATCHES, {"ids": [*ids]})
        return [BatchId(row.id) for row in found]

    def has_changed_parents(self) -> bool:
        return bool(self._database.execute_autocommit(statements.HAS_CHANGED_PARENTS, {}))

    def next_schedule_work(self, now: datetime) -> datetime | None:
        times = {"now": now, "abandoned_before": now - ABANDONED_RETENTION}
        (row,) = self._database.execute_autocommit(statements.NEXT_SCHEDULE_WORK, times)
        next: datetime | None = row.next
        return next

    def drain_request(self, handler: HandlerId) -> DrainRequest | None:
        found = self._database.execute_autocommit(statements.DRAIN_REQUEST, {"handler": handler})
        return DrainRequest(found[0].drain_request) if found else None

    def processes(self) -> Mapping[HandlerId, str]:
        return {HandlerId(row.id): row.process for row in self._database.execute_autocommit(statements.PROCESSES, {})}
