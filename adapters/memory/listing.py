"""Listing in memory."""

from collections.abc import Sequence

from adapters.memory.state import State
from application.ports.listing import Filter
from domain.ids import TaskId
from domain.task import Task


class MemoryListing:
    """Implements application.ports.listing.Listing."""

    def __init__(self, state: State) -> None:
        self._state = state

    def page(self, filter: Filter, before: TaskId | None, limit: int) -> Sequence[Task]:
        newest_first = (self._state.rows[id].task for id in sorted(self._state.rows, reverse=True))
        fitting = [task for task in newest_first if _fits(task, filter) and (before is None or task.id < before)]
        return fitting[:limit]


def _fits(task: Task, filter: Filter) -> bool:
    return filter.status in (None, task.status) and filter.type in (None, task.type)
