"""Cleaning in PostgreSQL: expired tasks and entries of the counts."""

from datetime import datetime

from sqlalchemy import Connection

from adapters.postgres import statements
from application.ports.cleaning import DeletedTasks


class PostgresCleaning:
    """Implements application.ports.cleaning.Cleaning."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def delete_expired(self, now: datetime, limit: int) -> DeletedTasks:
        deleted = self._connection.execute(statements.DELETE_EXPIRED, {"now": now, "limit": limit}).one()
        return DeletedTasks(deleted.number, deleted.unrun or [])

    def fold_counts(self, limit: int) -> int:
        folded: int = self._connection.execute(statements.FOLD_COUNTS, {"limit": limit}).scalar_one()
        return folded
