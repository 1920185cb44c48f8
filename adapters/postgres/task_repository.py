"""The task repository in PostgreSQL."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, TextClause

from adapters.postgres import rows, statements
from adapters.postgres.arrays import array
from adapters.postgres.deliveries import PostgresDeliveries
from application.errors import UnreadableTask
from application.isolation import log_once
from application.ports.task_repository import ANY_SIZE, MAX_ATTEMPTS_SHOWN, KeyOwner, TaskRecord
from domain.delivery import Delivery
from domain.ids import IdempotencyKey, Owner, TaskId
from domain.settlement import Attempt
from domain.submission import Submission
from domain.task import Task

log = logging.getLogger(__name__)
SUBMITTED_COLUMNS = (
    *("type", "created", "run_at", "expire", "ttl"),
    *("priority", "max_attempts", "max_losses", "timeout", "callback", "lane", "labels", "batch", "traceparent"),
)
"""The fields of a new task that are columns of the same names."""


class PostgresTaskRepository:
    """Implements application.ports.task_repository.TaskRepository."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task | None]:
        if not submissions:
            return []
        return added(submissions, self._ids)

    def lock_owner(self, owner: Owner) -> None:
        self._connection.execute(statements.LOCK_OWNER, {"owner": owner})

    def waiting_of(self, owner: Owner, limit: int) -> int:
        found: int = self._connection.execute(statements.COUNT_WAITING, {"owner": owner, "limit": limit}).scalar_one()
        return found

    def key_owners(self, keys: Collection[IdempotencyKey]) -> Mapping[IdempotencyKey, KeyOwner]:
        if not keys:
            return {}
        found = self._connection.execute(statements.KEY_OWNERS, {"keys": list(keys)})
        return {IdempotencyKey(row.key): KeyOwner(TaskId(row.id), row.fingerprint) for row in found}

    def get(self, id: TaskId, max_bytes: int = ANY_SIZE) -> TaskRecord | None:
        row = self._connection.execute(statements.GET, {"id": id, "max_bytes": max_bytes}).first()
        return None if row is None else self._record(row)

    def attempts(self, id: TaskId) -> Sequence[Attempt]:
        found = self._connection.execute(statements.ATTEMPTS, {"id": id, "latest": MAX_ATTEMPTS_SHOWN})
        return [rows.attempt(row) for row in found]

    def lock(self, *ids: TaskId) -> Sequence[Task]:
        return [rows.task(row) for row in self._connection.execute(statements.LOCK, {"ids": list(ids)})]

    def lock_free(self, *ids: TaskId) -> Sequence[Task]:
        return [rows.task(row) for row in self._connection.execute(statements.LOCK_FREE, {"ids": list(ids)})]

    def save(self, *tasks: Task) -> None:
        if tasks:
            self._connection.execute(statements.SAVE, rows.columns([_saved(task) for task in tasks]))

    def replace_args(self, args: Mapping[TaskId, str]) -> None:
        if args:
            named = {"ids": array(args.keys()), "args": array(args.values())}
            self._connection.execute(statements.REPLACE_ARGS, named)

    def remove(self, *ids: TaskId) -> None:
        self._connection.execute(statements.REMOVE, {"ids": list(ids)})

    def _ids(self, statement: TextClause, columns: Mapping[str, str]) -> Sequence[TaskId | None]:
        return self._connection.execute(statement, columns).scalars().all()

    def _record(self, row: Row[Any]) -> TaskRecord:
        # Few tasks have a callback or parents: the others are spared the look-ups.
        delivery = None if row.callback is None else PostgresDeliveries(self._connection).get(row.id)
        has_parents = row.if_parent_failed is not None
        found = self._connection.execute(statements.PARENTS, {"task": row.id}).scalars() if has_parents else ()
        return record(row, delivery, tuple(found))


def record(row: Any, delivery: Delivery | None, parents: tuple[TaskId, ...]) -> TaskRecord:
    """Return the record that a row of statements.GET, this delivery and these parents make."""
    is_summary, args = row.args is None, row.args or "{}"
    return TaskRecord(
        rows.task(row), args, row.result, row.version, delivery, is_summary, row.printed, row.key, parents
    )


def summaries(found: Iterable[Any]) -> Iterator[tuple[TaskId, TaskRecord | None]]:
    """Yield the id and the summary of each row of statements.CHANGED, but of those that cannot be read."""
    for row in found:
        try:
            yield row.known, None if row.id is None else record(row, None, ())
        except UnreadableTask as error:
            log_once(log, f"its changes are not seen: {error}", task=error.task)


def added(
    submissions: Sequence[Submission], ids: Callable[[TextClause, Mapping[str, str]], Sequence[TaskId | None]]
) -> Sequence[Task | None]:
    """Add tasks, and return them; None for each whose key is taken.

    `ids` executes a statement with these columns, and returns the ids that the rows were given.
    """
    fields = [each.fields() for each in submissions]
    columns = {name: array([each[name] for each in fields]) for name in SUBMITTED_COLUMNS} | {
        "args": array([each.args for each in submissions]),
        "terms": array([_terms(each) for each in submissions]),
    }
    # The statement for keys takes a sixth more time, and returns the ids in the order given.
    if any(each.key or each.dependencies or each.owner for each in submissions):
        columns["key"] = array([each.key for each in submissions])
        columns["fingerprint"] = array([each.fingerprint for each in submissions])
        waits = [each.dependencies for each in submissions]
        columns["if_parent_failed"] = array([each and each.if_failed for each in waits])
        columns["wanted_run_at"] = array([each and each.run_at for each in waits])
        columns["owner"] = array([each.owner for each in submissions])
        columns["has_references"] = array([each["has_references"] for each in fields])
        given = ids(statements.ADD_WITH_KEYS, columns)
    else:
        given = sorted(ids(statements.ADD, columns))  # type: ignore[type-var]
    return [None if id is None else Task.restored(each | {"id": id}) for each, id in zip(fields, given, strict=True)]


def _terms(submission: Submission) -> str | None:
    # Written as text, since all rows of an array of arrays have one length.
    return f"{{{','.join(map(str, submission.terms))}}}" if submission.terms else None


def _saved(task: Task) -> dict[str, object]:
    return {
        "id": task.id,
        "status": task.status,
        "run_at": task.run_at,
        "expire": task.expire,
        "max_attempts": task.max_attempts,
        "attempt": task.attempt,
        "losses": task.losses,
        "suspect": task.suspect,
        "handler": task.lease and task.lease.handler,
        "lease_until": task.lease and task.lease.until,
        "started": task.started,
        "finished": task.finished,
        "progress": rows.progress_text(task.progress),
        "error": rows.error_text(task.error),
    }
