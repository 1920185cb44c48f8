"""Listing in PostgreSQL: searches, failure groups, and counts of tasks."""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, TextClause

from adapters.postgres import rows, statements
from application.errors import UnreadableTask
from application.failure_groups import fits, may_fit
from application.isolation import log_once
from application.ports import listing
from application.ports.listing import (
    ANY_STATUS,
    Counts,
    CountsOfTerms,
    End,
    FailureGroup,
    Filter,
    Found,
    Part,
    Texts,
)
from domain.failure import Error
from domain.ids import BatchId, TaskId, TypeName
from domain.status import Status
from domain.task import Task

MAX_ID = 2**63 - 1
CREATED_SLACK = timedelta(minutes=1)
"""Span by which the order of ids may differ from that of `created`, through slow transactions and differing clocks."""
FEW_TASKS = 10_000
"""Number of tasks of the wanted types and statuses up to which they are searched for the terms.

Where there are more, the tasks that have the terms are searched for the types and statuses.
"""
MAX_GROUPS = 1_000
"""Failure groups whose errors are compared with those that are asked for. Where there are more, tasks are compared."""
FIRST_LOOK_TASKS = 500
"""Tasks at which a search looks first; each further look is at four times as many."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Walk:
    """The tasks of these pairs of a type and a key, in the order of an index of `statement`, the newest first."""

    statement: TextClause
    pairs: Sequence[tuple[TypeName, Any]]

    @property
    def parameters(self) -> dict[str, Any]:
        """The pairs as parameters of the statement."""
        return {"types": [type for type, _ in self.pairs], "keys": [key for _, key in self.pairs]}


class PostgresListing:
    """Implements application.ports.listing.Listing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def search(self, filter: Filter, before: TaskId | None, limit: int) -> Found:
        parameters = self._parameters(filter, before)
        if filter.ids is not None:
            return Found.first(limit, self._newest_of(filter.ids, filter, parameters, limit + 1))
        if filter.batch is not None:
            of_batch = Walk(statements.LOOK_BY_BATCH, [(TypeName(""), status) for status in filter.possible_statuses])
            return self._walked(of_batch, filter, parameters, limit)
        if filter.searches_errors or (filter.searches_ends and not filter.terms):
            return self._walked(self._walk(filter), filter, parameters, limit)
        return Found.first(limit, self._page(self._statement(filter), parameters, limit + 1))

    def search_by_end(self, filter: Filter, after: End | None, limit: int) -> Sequence[Task]:
        parameters = self._parameters(filter, None) | {"ids": list(filter.ids or ())}
        statement = statements.PAGE_OF_BATCH_BY_END if filter.ids is None else statements.PAGE_BY_END
        tasks: list[Task] = []
        while True:
            wanted = limit - len(tasks)
            end, id = after or ("-infinity", 0)
            page = parameters | {"behind_end": end, "behind_id": id, "limit": wanted}
            found = self._connection.execute(statement, page).all()
            tasks += [task for task in _readable(found) if fits(task.error, filter)]
            if len(found) < wanted or len(tasks) == limit:
                return tasks
            after = End(found[-1].end, found[-1].id)

    def first_failures(self, batch: BatchId, limit: int) -> Sequence[Task]:
        return _readable(self._connection.execute(statements.FIRST_FAILURES, {"batch": batch, "limit": limit}).all())

    def texts(
        self, ids: Sequence[TaskId], parts: Set[Part], max_bytes: int, max_each: int | None = None
    ) -> Mapping[TaskId, Texts]:
        wanted = {"args": Part.ARGS in parts, "result": Part.RESULT in parts}
        bounds = {"ids": list(ids), "max_bytes": max_bytes, "max_each": max_each}
        found = self._connection.execute(statements.TEXTS, wanted | bounds)
        return {row.id: Texts(row.args, row.result) for row in found}

    def failure_groups(self, limit: int) -> Sequence[FailureGroup]:
        return [
            FailureGroup(TypeName(row.type), row.number, _error(row), row.tasks, row.first, row.last)
            for row in self._connection.execute(statements.COUNTED_FAILURE_GROUPS, {"limit": limit})
        ]

    def counts(self) -> Counts:
        return _counts(self._connection.execute(statements.COUNTS).all())

    def counts_of(self, terms: frozenset[int], limit: int) -> CountsOfTerms:
        bounds = {"terms": [*terms], "since": 0, "before": MAX_ID, "limit": limit}
        found = self._connection.execute(statements.COUNTS_BY_TERM, bounds).all()
        return CountsOfTerms(_counts(found), not found or found[0].looked < limit)

    def _parameters(self, filter: Filter, before: TaskId | None) -> dict[str, Any]:
        since, end = self._ids(filter)
        finished_to = [filter.finished_before and filter.finished_before - timedelta.resolution, filter.as_of]
        return {
            "statuses": list(filter.possible_statuses),
            "type": filter.type,
            "terms": list(filter.terms),
            "failure_group": filter.failure_group,
            "batch": filter.batch,
            "created_after": filter.created_after or "-infinity",
            "created_before": filter.created_before or "infinity",
            "finished_after": filter.finished_after or "-infinity",
            "finished_to": min((end for end in finished_to if end), default="infinity"),
            "since": since,
            "before": end if before is None else min(end, before),
        }

    def _page(self, statement: TextClause, parameters: dict[str, Any], limit: int) -> Sequence[Task]:
        tasks: list[Task] = []
        parameters = parameters | {"limit": limit}
        while True:
            found = self._connection.execute(statement, parameters).all()
            tasks += _readable(found)
            if len(found) < parameters["limit"] or len(tasks) == limit:
                return tasks
            # Rows that cannot be read are left out, and make room for those behind them.
            parameters |= {"before": found[-1].id, "limit": limit - len(tasks)}

    def _newest_of(
        self, ids: Collection[TaskId], filter: Filter, parameters: dict[str, Any], limit: int
    ) -> Sequence[Task]:
        """Look up the newest matching tasks of these ids, `limit` ids at a time, since most of them may match."""
        newest = sorted((id for id in ids if parameters["since"] <= id < parameters["before"]), reverse=True)
        tasks: list[Task] = []
        for start in range(0, len(newest), limit):
            tasks += self._by_ids(newest[start : start + limit], filter, parameters)
            if len(tasks) >= limit:
                break
        return tasks

    def _by_ids(self, ids: Sequence[TaskId], filter: Filter, parameters: dict[str, Any]) -> Sequence[Task]:
        found = self._connection.execute(statements.PAGE_BY_ID, parameters | {"ids": ids}).all()
        return [task for task in _readable(found) if fits(task.error, filter)]

    def _walked(self, walk: Walk, filter: Filter, parameters: dict[str, Any], limit: int) -> Found:
        """Look at more and more tasks, until enough match or it were too many."""
        ids: list[TaskId] = []
        before = parameters["before"] if walk.pairs else 0
        looked, look = 0, min(FIRST_LOOK_TASKS, (limit + 1) * len(walk.pairs))
        while before and len(ids) <= limit and looked < listing.MAX_LOOKED_TASKS:
            each = max(1, min(look, listing.MAX_LOOKED_TASKS - looked) // len(walk.pairs))
            found = self._connection.execute(
                walk.statement, parameters | walk.parameters | {"before": before, "each": each}
            ).all()
            before = _end_of_look(found, each)
            ids += [row.id for row in found if row.id >= before and _matches(row, filter)]
            looked, look = looked + len(found), 4 * look
        next = TaskId(ids[limit - 1] if len(ids) > limit else before)
        return Found(self._by_ids(ids[:limit], filter, parameters), next or None)

    def _walk(self, filter: Filter) -> Walk:
        """The walk through the tasks that may match."""
        if not filter.searches_errors:
            return Walk(statements.LOOK_BY_STATUS, list(self._pairs(filter)))
        types = [type for type, _ in self._pairs(filter)]
        if filter.failure_group is not None:
            return Walk(statements.LOOK_BY_FAILURE_GROUP, [(type, filter.failure_group) for type in types])
        groups = self._connection.execute(statements.FAILURE_GROUPS, {"limit": MAX_GROUPS + 1}).all()
        if len(groups) > MAX_GROUPS:
            return Walk(statements.LOOK_BY_STATUS, [(type, Status.FAILED) for type in types])
        fitting = [row for row in groups if row.type in types and may_fit(row.error, _error(row), filter)]
        return Walk(statements.LOOK_BY_FAILURE_GROUP, [(row.type, row.number) for row in fitting])

    def _ids(self, filter: Filter) -> tuple[int, int]:
        """Return the first id that the filter may want, and the first beyond those that it may want."""
        since = self._first_from(filter.created_after - CREATED_SLACK) if filter.created_after else 0
        return since, self._first_from(filter.created_before + CREATED_SLACK) if filter.created_before else MAX_ID

    def _first_from(self, created: datetime) -> int:
        first: int = self._connection.execute(statements.FIRST_CREATED, {"moment": created}).scalar_one()
        return first

    def _statement(self, filter: Filter) -> TextClause:
        if filter.type is None and filter.possible_statuses == ANY_STATUS:
            return statements.PAGE_BY_TERM if filter.terms else statements.PAGE
        walks_terms = filter.terms and self._number(filter) > FEW_TASKS
        return statements.PAGE_BY_TERM if walks_terms else statements.PAGE_BY_TYPE_AND_STATUS

    def _number(self, filter: Filter) -> int:
        """Count the tasks that have the wanted type and statuses."""
        return sum(self._pairs(filter).values())

    def _pairs(self, filter: Filter) -> dict[tuple[TypeName, Status], int]:
        """Return the pairs of a wanted type and a wanted status, with the numbers of their tasks."""
        return {
            (type, status): number
            for type, of_type in self.counts().items()
            for status, number in of_type.items()
            if filter.type in (None, type) and status in filter.possible_statuses
        }


def _counts(found: Sequence[Row[Any]]) -> Counts:
    counts: dict[TypeName, dict[Status, int]] = defaultdict(dict)
    for row in found:
        if row.status in rows.STATUSES and row.number:
            counts[TypeName(row.type)][Status(row.status)] = row.number
    return counts


def _end_of_look(found: Sequence[Row[Any]], each: int) -> int:
    """Return the id down to which all tasks were looked at; 0 if no pair has any other."""
    seen = Counter(row.nth for row in found)
    lowest = {row.nth: row.id for row in found}
    return max((lowest[nth] for nth, number in seen.items() if number == each), default=0)


def _matches(row: Row[Any], filter: Filter) -> bool:
    return bool(row.matches) and (not filter.searches_errors or fits(_error(row), filter))


def _error(row: Any) -> Error:
    """Return the error of a failed task."""
    return rows.error_of(row.error, row.attempt)


def _readable(found: Sequence[Row[Any]]) -> Sequence[Task]:
    """Return the tasks of the rows that can be read."""
    tasks = []
    for row in found:
        try:
            tasks.append(rows.task(row))
        except UnreadableTask as error:
            log_once(log, f"it is left out of lists: {error}", task=error.task)
    return tasks
