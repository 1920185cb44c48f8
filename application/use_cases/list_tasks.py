"""List tasks, one page at a time: newest first, or in the order of their ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from application.ports.listing import End, Filter, Listing, Part, Texts
from application.ports.task_repository import TaskRecord
from application.ports.unit_of_work import Begin
from application.view import View, Viewer
from domain.ids import TaskId
from domain.status import Status
from domain.task import Task

MAX_PAGE_BYTES = 1024 * 1024
"""Bytes of arguments and results in one page; the first task of a page may have more."""

PageCursor = TaskId | End
"""Keyset cursor of a page: the last task of the page before, by its id or its end, as the order is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTasksRequest:
    """The tasks to list: those that match, at most `limit`.

    `before`: newest first, the id below which the ids of the page are.
    `by_end`: whether the finished tasks are listed in the order of their ends, which needs a filter with ids.
    `after`: by end, the end behind which the page begins.
    `include`: the texts that the views have.
    """

    filter: Filter
    before: TaskId | None = None
    by_end: bool = False
    after: End | None = None
    include: frozenset[Part] = frozenset()
    limit: int = 50


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Views with the texts that were asked for, and the cursor of the next page; None if no task follows.

    `is_cut`: whether the page ended early, so that it could have more.
    """

    views: Sequence[View]
    next: PageCursor | None
    is_cut: bool = False


class ListTasks:
    """Lists tasks."""

    def __init__(self, begin: Begin, viewer: Viewer) -> None:
        self._begin = begin
        self._viewer = viewer

    def __call__(self, request: ListTasksRequest) -> TaskPage:
        """One page."""
        with self._begin() as work:
            tasks, next = _search(work.listing, request)
            texts = _texts(work.listing, tasks, request.include)
        # A task without texts was deleted meanwhile, or the page has no room for it.
        shown = [task for task in tasks if task.id in texts]
        if shown and shown[-1] is not tasks[-1]:
            next = _cursor(shown[-1], request)
        views = [self._viewer(_record(task, texts[task.id])) for task in shown]
        return TaskPage(views, next, next is not None and len(views) < request.limit)


def _search(listing: Listing, request: ListTasksRequest) -> tuple[Sequence[Task], PageCursor | None]:
    if not request.by_end:
        found = listing.search(request.filter, request.before, request.limit)
        return found.tasks, found.next
    ended = listing.search_by_end(request.filter, request.after, request.limit + 1)
    shown = ended[: request.limit]
    return shown, _cursor(shown[-1], request) if len(ended) > request.limit else None


def _cursor(last: Task, request: ListTasksRequest) -> PageCursor:
    return End.of(last) if request.by_end else last.id


def _texts(listing: Listing, tasks: Sequence[Task], parts: frozenset[Part]) -> Mapping[TaskId, Texts]:
    ids = [task.id for task in tasks]
    return listing.texts(ids, parts, MAX_PAGE_BYTES) if parts else dict.fromkeys(ids, Texts())


def _record(task: Task, texts: Texts) -> TaskRecord:
    # A task that was not done when it was found may be when its texts are read.
    return TaskRecord(task, texts.args or "{}", texts.result if task.status is Status.DONE else None)
