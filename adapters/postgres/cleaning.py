"""Cleaning in PostgreSQL."""

from datetime import datetime

from sqlalchemy import Connection

from adapters.postgres import statements
from application.ports.cleaning import Expired
from domain.ids import TaskId
from domain.status import Status


class PostgresCleaning:
    """Implements application.ports.cleaning.Cleaning."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def delete_expired(self, now: datetime, limit: int) -> Expired:
        deleted = self._connection.execute(statements.DELETE_EXPIRED, {"now": now, "limit": limit}).all()
        return Expired(len(deleted), sorted(TaskId(row.id) for row in deleted if row.status == Status.WAITING))

    def fold_counts(self, limit: int) -> int:
        folded: int = self._connection.execute(statements.FOLD_COUNTS, {"limit": limit}).scalar_one()
        return folded
