"""The page of tasks: those that match the filters, newest first."""

from typing import Any

from flask import request
from marshmallow import ValidationError
from werkzeug.exceptions import UnprocessableEntity

from application.use_cases.list_tasks import ListTasksRequest
from entrypoints.http.pages.blueprint import Pages
from entrypoints.http.requests.filters import ARGS_PREFIX, DEFAULT_PAGE_TASKS, ListQuery, decoded_cursor, task_filter
from entrypoints.http.services import Services

QUERY = ListQuery()


def add_tasks(pages: Pages, services: Services) -> None:
    """Add the page."""
    list_page, known_types = services.list_tasks(), services.known_types()

    @pages.page("/tasks", "tasks.html")
    def tasks() -> dict[str, Any]:
        query = _query()
        asked = ListTasksRequest(
            filter=task_filter(query), before=decoded_cursor(query), limit=query.get("limit", DEFAULT_PAGE_TASKS)
        )
        given = {name: value for name, value in request.args.items() if value}
        return {"page": list_page(asked), "given": given, "types": sorted(known_types.all())}

    @pages.redirect("/find")
    def find() -> str:
        text = request.args.get("q", "").strip()
        name, is_argument, value = text.partition("=")
        if text.isascii() and text.isdigit():
            return pages.addresses("task", text)
        if is_argument and name.startswith(ARGS_PREFIX):
            return pages.addresses("tasks", query={name: value})
        return pages.addresses("tasks", query={"type": text})


def _query() -> dict[str, Any]:
    """Parse the filters of the address. A field of a form that was left empty is no filter."""
    try:
        loaded: dict[str, Any] = QUERY.load({name: value for name, value in request.args.items() if value})
    except ValidationError as error:
        wrong = UnprocessableEntity("a filter is wrong")
        wrong.data = {"messages": {"query": error.messages}}  # type: ignore[attr-defined]
        raise wrong from None
    return loaded
