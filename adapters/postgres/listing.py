"""Listing in PostgreSQL: pages and counts of tasks."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, TextClause

from adapters.postgres import rows, statements
from application.errors import UnreadableTask
from application.isolation import log_once
from application.ports.listing import ANY_STATUS, Counts, Filter
from domain.ids import TaskId, TypeName
from domain.status import Status
from domain.task import Task

MAX_ID = 2**63 - 1
CREATED_SLACK = timedelta(minutes=1)
"""Span by which the order of ids may differ from that of `created`, through slow transactions and differing clocks."""
FEW_TASKS = 10_000
"""Number of tasks of the wanted types and statuses up to which they are searched for the terms.

Where there are more, the tasks that have the terms are searched for the types and statuses.
"""

log = logging.getLogger(__name__)


class PostgresListing:
    """Implements application.ports.listing.Listing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, filter: Filter, before: TaskId | None, limit: int) -> Sequence[Task]:
        since, end = self._ids(filter)
        parameters: dict[str, Any] = {
            "statuses": list(filter.statuses),
            "type": filter.type,
            "terms": list(filter.terms),
            "created_after": filter.created_after or "-infinity",
            "created_before": filter.created_before or "infinity",
            "since": since,
            "before": end if before is None else min(end, before),
            "limit": limit,
        }
        tasks: list[Task] = []
        while True:
            found = self._connection.execute(self._statement(filter), parameters).all()
            tasks += _readable(found)
            if len(found) < parameters["limit"] or len(tasks) == limit:
                return tasks
            # Rows that cannot be read are left out, and make room for those behind them.
            parameters |= {"before": found[-1].id, "limit": limit - len(tasks)}

    def counts(self) -> Counts:
        counts: dict[TypeName, dict[Status, int]] = defaultdict(dict)
        for row in self._connection.execute(statements.COUNTS):
            if row.status in rows.STATUSES:
                counts[TypeName(row.type)][Status(row.status)] = row.number
        return counts

    def _ids(self, filter: Filter) -> tuple[int, int]:
        """Return the first id that the filter may want, and the first beyond those that it may want."""
        since = self._first_from(filter.created_after - CREATED_SLACK) if filter.created_after else 0
        return since, self._first_from(filter.created_before + CREATED_SLACK) if filter.created_before else MAX_ID

    def _first_from(self, created: datetime) -> int:
        first: int = self._connection.execute(statements.FIRST_CREATED, {"moment": created}).scalar_one()
        return first

    def _statement(self, filter: Filter) -> TextClause:
        if filter.type is None and filter.statuses == ANY_STATUS:
            return statements.PAGE_BY_TERM if filter.terms else statements.PAGE
        walks_terms = filter.terms and self._number(filter) > FEW_TASKS
        return statements.PAGE_BY_TERM if walks_terms else statements.PAGE_BY_TYPE_AND_STATUS

    def _number(self, filter: Filter) -> int:
        """Count the tasks that have the wanted type and statuses."""
        of_type = (of for type, of in self.counts().items() if filter.type in (None, type))
        return sum(number for of in of_type for status, number in of.items() if status in filter.statuses)


def _readable(found: Sequence[Row[Any]]) -> Sequence[Task]:
    """Return the tasks of the rows that can be read."""
    tasks = []
    for row in found:
        try:
            tasks.append(rows.task(row))
        except UnreadableTask as error:
            log_once(log, f"it is left out of lists: {error}")
    return tasks
