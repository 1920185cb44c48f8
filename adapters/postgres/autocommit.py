"""Single steps in PostgreSQL: one statement each where that is enough, handed to the driver as it is."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import TextClause

from adapters.postgres import deliveries, queue, rows, statements, task_repository
from adapters.postgres.database import Database
from application.ports.queue import ClaimedRecord, ClaimRequest
from application.ports.task_repository import TaskRecord, Version
from domain.ids import TaskId
from domain.lease import Lease
from domain.settlement import Settlement
from domain.submission import Submission
from domain.task import Task


class PostgresAutocommitStore:
    """Implements application.ports.autocommit.AutocommitStore. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        return task_repository.added(submissions, self._ids)

    def claim(self, lease: Lease, now: datetime, wanted: ClaimRequest) -> Sequence[ClaimedRecord]:
        read = partial(rows.claimed, lease=lease)
        return self._database.commit_after_read(statements.CLAIM, queue.claim_parameters(lease, now, wanted), read)

    def settle(self, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        if not any(each.attempt for each in settlements):
            _, refused = queue.settle_fenced(settlements, self._asked)
            return refused
        with self._database.transaction() as connection:
            refused = queue.PostgresQueue(connection).settle(settlements)
            connection.commit()
        return refused

    def get_many(self, ids: Collection[TaskId]) -> Mapping[TaskId, TaskRecord]:
        return {row.id: self._stored(row) for row in self._asked(statements.GET_MANY, {"ids": list(ids)})}

    def versions(self, ids: Collection[TaskId]) -> Mapping[TaskId, Version]:
        return {row.id: row.version for row in self._asked(statements.VERSIONS, {"ids": list(ids)})}

    def _ids(self, statement: TextClause, columns: Mapping[str, str]) -> Sequence[TaskId | None]:
        return [row.id for row in self._asked(statement, columns)]

    def _stored(self, row: Any) -> TaskRecord:
        # Few have a callback: the others are spared the look.
        found = self._asked(statements.DELIVERY, {"task": row.id}) if row.callback else []
        return task_repository.stored(row, deliveries.delivery(found[0]) if found else None)

    def _asked(self, statement: TextClause, parameters: Mapping[str, Any]) -> Sequence[Any]:
        return self._database.execute_autocommit(statement, parameters)
