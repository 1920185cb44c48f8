"""Storing in PostgreSQL."""

from collections.abc import Sequence

from sqlalchemy import Connection

from adapters.postgres import rows, statements
from application.ports.tasks import LATEST, Stored
from domain.ids import TaskId
from domain.settlement import Attempt
from domain.submission import Submission
from domain.task import Task

UNREGISTERED = TaskId(0)


class PostgresTasks:
    """Implements application.ports.tasks.Tasks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, submissions: Sequence[Submission]) -> Sequence[Task]:
        if not submissions:
            return []
        new = [(submission.registered(UNREGISTERED), submission.args) for submission in submissions]
        ids = self._connection.execute(statements.ADD, rows.columns([_added(*each) for each in new])).scalars()
        return [submission.registered(TaskId(id)) for submission, id in zip(submissions, sorted(ids), strict=True)]

    def get(self, id: TaskId) -> Stored | None:
        row = self._connection.execute(statements.GET, {"id": id}).first()
        return None if row is None else Stored(rows.task(row), row.args, row.result)

    def attempts(self, id: TaskId) -> Sequence[Attempt]:
        found = self._connection.execute(statements.ATTEMPTS, {"id": id, "latest": LATEST})
        return [rows.attempt(row) for row in found]

    def lock(self, id: TaskId) -> Task | None:
        row = self._connection.execute(statements.LOCK, {"id": id}).first()
        return None if row is None else rows.task(row)

    def save(self, task: Task) -> None:
        self._connection.execute(statements.SAVE, _saved(task))

    def remove(self, id: TaskId) -> None:
        self._connection.execute(statements.REMOVE, {"id": id})


def _added(task: Task, args: str) -> dict[str, object]:
    return {
        "type": task.type,
        "args": args,
        "created": task.created,
        "run_at": task.run_at,
        "expire": task.expire,
        "ttl": task.ttl,
        "priority": task.priority,
        "max_attempts": task.max_attempts,
        "max_losses": task.max_losses,
        "timeout": task.timeout,
    }


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
