"""The page of tasks: those that match the filters, newest first."""

from collections.abc import Collection, Mapping
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from application.use_cases.count_matching import counted, counts_suffice
from application.use_cases.list_tasks import ListTasksRequest, TaskPage
from domain.ids import TypeName
from domain.status import RULES, Status, Verb
from entrypoints.http.access.current import permitted
from entrypoints.http.access.needs import READ
from entrypoints.http.pages.blueprint import Context, Pages, Shown
from entrypoints.http.pages.given_filters import ARGUMENTS, GivenFilters, given_filters
from entrypoints.http.pages.words import are_pairs
from entrypoints.http.requests.filters import DEFAULT_PAGE_TASKS, TIMES, decoded_cursor
from entrypoints.http.services import Services

VERBS = (Verb.RETRY, Verb.CANCEL, Verb.DELETE)
"""The verbs by which a person changes many tasks."""
FIELDS = frozenset({"status", "type", "arguments", "labels", "error", "ids", "batch", "error_group", "limit"})
MORE_FIELDS = frozenset({"error_type", *TIMES})
"""Fields that are folded away while they are empty."""


def add_tasks(pages: Pages, services: Services) -> None:
    """Add the page."""
    list_page, count, known_types = services.list_tasks(), services.count_tasks(), services.known_types()

    def context(given: GivenFilters, page: TaskPage, number: int | None) -> Context:
        types = {*known_types.all(), *([TypeName(given.fields["type"])] if given.fields.get("type") else [])}
        return {
            "page": page,
            "given": given,
            "number": number,
            "here": pages.addresses("tasks", query=given.query),
            "types": sorted(types),
            "checked": given.fields.get("status", "").split(","),
            "verbs": offered(given.filter.possible_statuses),
            "shows_more": not MORE_FIELDS.isdisjoint(given.fields),
            "other_errors": {name: found for name, found in given.errors.items() if name not in FIELDS | MORE_FIELDS},
        }

    @pages.page("/tasks", "tasks.html", READ)
    def tasks() -> Context | Shown:
        given = given_filters(request.args)
        if given.errors:
            return Shown("tasks.html", context(given, TaskPage([], None), None), 422)
        filter, before, limit = (
            given.filter,
            decoded_cursor(given.loaded),
            given.loaded.get("limit", DEFAULT_PAGE_TASKS),
        )
        page = list_page(ListTasksRequest(filter=filter, before=before, limit=limit))
        if before is None and page.next is None:
            return context(given, page, len(page.views))
        return context(given, page, counted(filter, count()) if counts_suffice(filter) else None)

    @pages.redirect("/find", READ)
    def find() -> str:
        text = request.args.get("q", "").strip()
        if text.isascii() and text.isdigit():
            return pages.addresses("task", text)
        return pages.addresses("tasks", query=_search(text, known_types.all()))


def offered(statuses: Collection[Status]) -> list[Verb]:
    """The verbs that may start from one of these statuses at least, and that the sender may use."""
    return [verb for verb in permitted(VERBS) if not RULES[verb].isdisjoint(statuses)]


def _search(text: str, types: Collection[TypeName]) -> Mapping[str, Any]:
    """The filters that a person may mean: arguments, a type, or a part of an error."""
    if are_pairs(text):
        return given_filters(MultiDict({ARGUMENTS: text})).query
    return {"type": text} if text in types else {"error": text}
