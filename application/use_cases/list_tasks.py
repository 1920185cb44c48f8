"""List tasks, newest first, one page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.ports.listing import Filter
from application.ports.task_repository import TaskRecord
from application.ports.unit_of_work import Begin
from application.view import View, Viewer
from domain.ids import TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTasksRequest:
    """The tasks to list: those that match, with ids below `before`, at most `limit`."""

    filter: Filter
    before: TaskId | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Views without arguments and results, and the `before` of the next page; None if no task follows.

    `is_cut`: whether the search ended early, so that the page could have more.
    """

    views: Sequence[View]
    next: TaskId | None
    is_cut: bool = False


class ListTasks:
    """Lists tasks."""

    def __init__(self, begin: Begin, viewer: Viewer) -> None:
        self._begin = begin
        self._viewer = viewer

    def __call__(self, request: ListTasksRequest) -> TaskPage:
        """One page."""
        with self._begin() as work:
            found = work.listing.search(request.filter, request.before, request.limit)
        views = [self._viewer(TaskRecord(task, args="{}")) for task in found.tasks]
        return TaskPage(views, found.next, found.next is not None and len(views) < request.limit)
