"""Listing in PostgreSQL."""

from collections.abc import Sequence

from sqlalchemy import Connection

from adapters.postgres import rows, statements
from application.ports.listing import Filter
from domain.ids import TaskId
from domain.task import Task

LAST = TaskId(2**63 - 1)


class PostgresListing:
    """Implements application.ports.listing.Listing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, filter: Filter, before: TaskId | None, limit: int) -> Sequence[Task]:
        last = LAST if before is None else before
        parameters = {"status": filter.status, "type": filter.type, "before": last, "limit": limit}
        return [rows.task(row) for row in self._connection.execute(statements.PAGE, parameters)]
