"""Reruns in PostgreSQL."""

from collections.abc import Sequence

from sqlalchemy import Connection

from adapters.postgres import statements
from domain.ids import TaskId


class PostgresReruns:
    """Implements application.ports.reruns.Reruns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, task: TaskId, origin: TaskId) -> None:
        self._connection.execute(statements.ADD_RERUN, {"task": task, "origin": origin})

    def origin(self, task: TaskId) -> TaskId | None:
        return self._connection.execute(statements.ORIGIN, {"task": task}).scalar()

    def of(self, origin: TaskId, limit: int) -> Sequence[TaskId]:
        return self._connection.execute(statements.RERUNS, {"origin": origin, "limit": limit}).scalars().all()
