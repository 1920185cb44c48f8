"""Listing in memory."""

from collections import Counter
from collections.abc import Sequence

from adapters.memory.state import Row, State
from application.ports.listing import Counts, Filter
from domain.ids import TaskId
from domain.task import Task


class MemoryListing:
    """Implements application.ports.listing.Listing."""

    def __init__(self, state: State) -> None:
        self._state = state

    def page(self, filter: Filter, before: TaskId | None, limit: int) -> Sequence[Task]:
        newest_first = (self._state.rows[id] for id in sorted(self._state.rows, reverse=True))
        fitting = [row.task for row in newest_first if _fits(row, filter)]
        return [task for task in fitting if before is None or task.id < before][:limit]

    def counts(self) -> Counts:
        tasks = [row.task for row in self._state.rows.values()]
        return {type: Counter(task.status for task in tasks if task.type == type) for type in {t.type for t in tasks}}


def _fits(row: Row, filter: Filter) -> bool:
    task = row.task
    return (
        task.status in filter.statuses
        and filter.type in (None, task.type)
        and (filter.created_after is None or filter.created_after <= task.created)
        and (filter.created_before is None or task.created < filter.created_before)
        and filter.terms.issubset(row.terms)
    )
