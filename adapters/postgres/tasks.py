"""Storing in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Connection, Row

from adapters.postgres import rows, statements
from adapters.postgres.addition import Addition, parts
from adapters.postgres.deliveries import PostgresDeliveries
from application.ports.tasks import LATEST, Known, Stored, Version
from domain.delivery import Delivery
from domain.ids import Key, TaskId
from domain.settlement import Attempt
from domain.submission import Submission
from domain.task import Task


class PostgresTasks:
    """Implements application.ports.tasks.Tasks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        with ThreadPoolExecutor(1) as beside:
            additions = [(each, beside.submit(self._ids, each)) for each in map(Addition.of, parts(submissions))]
        return [task for addition, ids in additions for task in addition.tasks(ids.result())]

    def with_keys(self, keys: Collection[Key]) -> Mapping[Key, Known]:
        if not keys:
            return {}
        found = self._connection.execute(statements.WITH_KEYS, {"keys": list(keys)})
        return {Key(row.key): Known(TaskId(row.id), row.fingerprint) for row in found}

    def get(self, id: TaskId) -> Stored | None:
        row = self._connection.execute(statements.GET, {"id": id}).first()
        return None if row is None else self._stored(row)

    def versions(self, ids: Collection[TaskId]) -> Mapping[TaskId, Version]:
        found = self._connection.execute(statements.VERSIONS, {"ids": list(ids)})
        return {TaskId(row.id): Version(row.version) for row in found}

    def attempts(self, id: TaskId) -> Sequence[Attempt]:
        found = self._connection.execute(statements.ATTEMPTS, {"id": id, "latest": LATEST})
        return [rows.attempt(row) for row in found]

    def lock(self, *ids: TaskId) -> Sequence[Task]:
        return [rows.task(row) for row in self._connection.execute(statements.LOCK, {"ids": list(ids)})]

    def save(self, *tasks: Task) -> None:
        if tasks:
            self._connection.execute(statements.SAVE, rows.columns([_saved(task) for task in tasks]))

    def remove(self, id: TaskId) -> None:
        self._connection.execute(statements.REMOVE, {"id": id})

    def _ids(self, addition: Addition) -> Sequence[TaskId | None]:
        return self._connection.execute(addition.statement, addition.columns).scalars().all()

    def _stored(self, row: Row[Any]) -> Stored:
        # Few have a callback: the others are spared the look.
        return stored(row, None if row.callback is None else PostgresDeliveries(self._connection).get(row.id))


def stored(row: Any, delivery: Delivery | None) -> Stored:
    """The task that a row of statements.GET holds, with the delivery that it has."""
    return Stored(rows.task(row), row.args, row.result, row.version, delivery)


def _saved(task: Task) -> dict[str, object]:
    return {
        "id": task.id,
        "status": task.status,
        "run_at": task.run_at,
        "expire": task.expire,
        "max_attempts": task.max_attempts,
        "attempt": task.attempt,
        "losses": task.losses,
        "handler": task.lease and task.lease.handler,
        "lease_until": task.lease and task.lease.until,
        "started": task.started,
        "finished": task.finished,
        "progress": rows.progress_text(task.progress),
        "error": rows.error_text(task.error),
    }
