"""List tasks, newest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.ports.listing import Filter
from application.ports.task_repository import TaskRecord
from application.ports.unit_of_work import Begin
from application.view import View, Viewer
from domain.ids import TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTasksRequest:
    """Which tasks, from where on, and how many at most."""

    filter: Filter
    before: TaskId | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Views without arguments and results, and the id to ask on from; None where nothing follows."""

    views: Sequence[View]
    next: TaskId | None


class ListTasks:
    """Reads one task more than asked for, to know whether anything follows."""

    def __init__(self, begin: Begin, viewer: Viewer) -> None:
        self._begin = begin
        self._viewer = viewer

    def __call__(self, request: ListTasksRequest) -> TaskPage:
        """One page."""
        with self._begin() as work:
            tasks = work.listing.page(request.filter, request.before, request.limit + 1)
        shown = tasks[: request.limit]
        views = [self._viewer(TaskRecord(task, args="{}")) for task in shown]
        return TaskPage(views, shown[-1].id if len(tasks) > len(shown) else None)
