"""The autocommit store in PostgreSQL: one statement for each operation where that is enough, sent by the driver."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause

from adapters.postgres import deliveries, queue, statements, task_repository
from adapters.postgres.arrays import array
from adapters.postgres.claim import PostgresClaim
from adapters.postgres.database import Database
from adapters.postgres.driver_errors import is_systemic, refused_outcomes
from application.errors import StorageUnavailable
from application.ports.queue import ClaimedRecord, ClaimRequest, LeaseObservation, RenewalResult, SettleResult
from application.ports.task_repository import ANY_SIZE, TaskRecord, Version
from domain.ids import Hold, TaskId
from domain.lease import Lease
from domain.settlement import Settlement
from domain.submission import Submission
from domain.task import Task


class PostgresAutocommitStore:
    """Implements application.ports.autocommit.AutocommitStore. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._claim = PostgresClaim(database)

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        return task_repository.added(submissions, self._ids)

    def claim(self, lease: Lease, now: datetime, request: ClaimRequest) -> Sequence[ClaimedRecord]:
        parameters = _claim_parameters(lease, now, request)
        try:
            return self._claim.by_one_statement(lease, parameters)
        except StorageUnavailable:
            raise
        except Exception as error:
            if is_systemic(error):
                raise
        return self._claim.isolating(lease, parameters)

    def settle(self, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        with refused_outcomes():
            if not any(each.attempt for each in settlements):
                _, refused = queue.settle_fenced(settlements, self._rows)
                return refused
            with self._database.transaction() as connection:
                refused = queue.PostgresQueue(connection).settle(settlements)
                connection.commit()
            return refused

    def settle_unlocked(self, settlements: Sequence[Settlement]) -> SettleResult:
        with refused_outcomes(), self._database.transaction() as connection:
            result = queue.PostgresQueue(connection).settle_unlocked(settlements)
            connection.commit()
        return result

    def renew(self, holds: Sequence[Hold], lease: Lease) -> RenewalResult:
        return queue.renewed(holds, lease, self._rows)

    def observe_leases(self) -> LeaseObservation:
        return queue.observed_leases(self._rows)

    def lapsed(self, leases: Collection[Lease], limit: int, left_out: Collection[TaskId] = ()) -> Sequence[Task]:
        return queue.lapsed(leases, limit, left_out, self._rows)

    def get_many(self, ids: Collection[TaskId], max_bytes: int = ANY_SIZE) -> Mapping[TaskId, TaskRecord]:
        wanted = {"ids": list(ids), "max_bytes": max_bytes}
        return {row.id: self._record(row) for row in self._rows(statements.GET_MANY, wanted)}

    def versions(self, ids: Collection[TaskId]) -> Mapping[TaskId, Version]:
        return {row.id: row.version for row in self._rows(statements.VERSIONS, {"ids": list(ids)})}

    def _ids(self, statement: TextClause, columns: Mapping[str, str]) -> Sequence[TaskId | None]:
        return [row.id for row in self._rows(statement, columns)]

    def _record(self, row: Any) -> TaskRecord:
        # Few tasks have a callback: the others are spared the look-up.
        found = self._rows(statements.DELIVERY, {"task": row.id}) if row.callback else []
        return task_repository.record(row, deliveries.delivery(found[0]) if found else None)

    def _rows(self, statement: TextClause, parameters: Mapping[str, Any]) -> Sequence[Any]:
        return self._database.execute_autocommit(statement, parameters)


def _claim_parameters(lease: Lease, now: datetime, request: ClaimRequest) -> Mapping[str, Any]:
    return {
        "types": array(request.most),
        "most": array(request.most.values()),
        "slow": array(type in request.slow for type in request.most),
        "max_slow": request.max_slow,
        "cursor_types": array(type for type, _ in request.cursors),
        "cursor_priorities": array(priority for _, priority in request.cursors),
        "cursor_run_at": array(cursor.run_at for cursor in request.cursors.values()),
        "cursor_ids": array(cursor.id for cursor in request.cursors.values()),
        "now": now,
        "limit": request.limit,
        "max_bytes": request.max_bytes,
        "starting": request.starting,
        "handler": lease.handler,
        "lease_until": lease.until,
    }
