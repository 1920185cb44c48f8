"""The page that compares tasks of one type."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from application.errors import UnknownTask
from application.use_cases.list_tasks import ListTasks, ListTasksRequest
from application.view import View
from domain.ids import TypeName
from domain.status import Status
from entrypoints.http.access.needs import READ
from entrypoints.http.pages.blueprint import Pages
from entrypoints.http.pages.own_tasks import OwnTasks
from entrypoints.http.pages.results.comparing import arguments_of, rows_of, values_of
from entrypoints.http.pages.results.overlay import overlays
from entrypoints.http.pages.results.settings import settings_of
from entrypoints.http.pages.results.shape_of import shape_of
from entrypoints.http.pages.results.shapes import Lines, Shape, Tree
from entrypoints.http.requests.filters import task_filter
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.services import Services

MAX_TASKS = 8
MAX_RESULT_CHARACTERS = 4_000_000
"""Characters of a result that is compared: eight of them take a second."""
MAX_SHOWN_CHARACTERS = 40
OFFERED_TASKS = 12
_SEPARATORS = re.compile(r"[\s,]+")


@dataclass(frozen=True, slots=True)
class Compared:
    """A task, and its result if that is compared."""

    view: View
    result: str | None
    shape: Shape


def add_compare(pages: Pages, services: Services) -> None:
    """Add the page. Its address names the tasks: `ids=1,2,3`, `id=4`, or both, and both may be repeated."""
    view, list_page = OwnTasks(services), services.list_tasks()

    @pages.page("/compare", "compare.html", READ)
    def compare() -> dict[str, Any]:
        problems: list[str] = []
        tasks = [_compared(each, problems) for each in _of_one_type(_views(_asked(), view, problems), problems)]
        settings = settings_of(request.args)
        shapes_by_label = {f"task {each.view.task.id}": each.shape for each in tasks}
        lines_by_label = {label: shape for label, shape in shapes_by_label.items() if isinstance(shape, Lines)}
        results = [values_of(each.result, each.shape) if each.result else {} for each in tasks]
        return {
            "views": [each.view for each in tasks],
            "problems": problems,
            "arguments": rows_of([arguments_of(each.view.stored.args) for each in tasks]),
            "results": rows_of(results),
            "overlays": overlays(lines_by_label, settings),
            "names": [*dict.fromkeys(column.name for lines in lines_by_label.values() for column in lines.columns)],
            "settings": settings,
            "offered": _offered(list_page, tasks),
            "max_tasks": MAX_TASKS,
        }


def _asked() -> list[str]:
    """The ids of the address, each once."""
    given = ",".join([*request.args.getlist("ids"), *request.args.getlist("id")])
    return [*dict.fromkeys(id for id in _SEPARATORS.split(given) if id)]


def _views(ids: Sequence[str], view: Any, problems: list[str]) -> Iterator[View]:
    """The tasks with these ids."""
    for id in ids[:MAX_TASKS]:
        try:
            yield view(task_id(id))
        except UnknownTask:
            problems.append(f"There is no task {_short(id)}.")
    if left_out := ids[MAX_TASKS:]:
        named = [*map(_short, left_out[:MAX_TASKS]), *["…"] * (len(left_out) > MAX_TASKS)]
        problems.append(f"At most {MAX_TASKS} tasks are compared. Left out: {', '.join(named)}.")


def _short(id: str) -> str:
    return id if len(id) <= MAX_SHOWN_CHARACTERS else f"{id[: MAX_SHOWN_CHARACTERS - 1]}…"


def _of_one_type(views: Iterator[View], problems: list[str]) -> Iterator[View]:
    """The tasks that are of the type of the first one."""
    type: TypeName | None = None
    for view in views:
        type = type or view.task.type
        if view.task.type == type:
            yield view
        else:
            problems.append(f"Task {view.task.id} is of type {view.task.type}, not {type}, so it is left out.")


def _compared(view: View, problems: list[str]) -> Compared:
    result = view.stored.result if view.task.status is Status.DONE else None
    if result and len(result) > MAX_RESULT_CHARACTERS:
        problems.append(f"The result of task {view.task.id} is too large to be compared.")
        result = None
    return Compared(view, result, shape_of(result) if result else Tree())


def _offered(list_page: ListTasks, tasks: Sequence[Compared]) -> Sequence[View]:
    """The newest other tasks of the type."""
    if not tasks or len(tasks) == MAX_TASKS:
        return []
    page = list_page(
        ListTasksRequest(filter=task_filter({"type": tasks[0].view.task.type}), limit=OFFERED_TASKS + MAX_TASKS)
    )
    compared = {each.view.task.id for each in tasks}
    return [view for view in page.views if view.task.id not in compared][:OFFERED_TASKS]
