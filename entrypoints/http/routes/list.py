"""Routes that read many tasks: GET /tasks and /tasks/counts."""

import json
from collections.abc import Collection
from typing import Any

from flask import Response, request

from application.ports.listing import Part
from application.use_cases.list_tasks import TaskPage
from entrypoints.http.access.needs import READ
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.openapi.describe import TASK_EXAMPLE, error_responses, response
from entrypoints.http.openapi.schemas import SUMMARY
from entrypoints.http.requests.filters import (
    DEFAULT_PAGE_TASKS,
    CountQuery,
    ListQuery,
    encoded_cursor,
    list_request,
    task_filter,
)
from entrypoints.http.responses.json_response import JSON, json_response
from entrypoints.http.routes.json_lines import JSON_LINES, JsonLines, Position
from entrypoints.http.services import Services
from entrypoints.task_json import summary_json

PAGE_EXAMPLE = {"tasks": [{name: TASK_EXAMPLE[name] for name in SUMMARY["required"]}], "next": None}
# JSON lines are described in words alone: of two types of content TypeScript clients make a union for every page.
LISTED = response(200, "A page of tasks.", "Page", PAGE_EXAMPLE) | error_responses(
    {422: "A parameter is unknown or out of bounds."}
)
COUNTS_EXAMPLE = {"counts": {"add": {"waiting": 3, "done": 10}, "default": {"failed": 1}}}
COUNTED = response(200, "The number of tasks by type and status.", "Counts", COUNTS_EXAMPLE) | error_responses(
    {422: "A parameter is unknown."}
)


def add_list(tasks: Blueprint, services: Services) -> None:
    """Add the routes."""
    list_page, count = services.list_tasks(), services.count_tasks()
    json_lines = JsonLines(list_page, services.open_lists(), services.clock())

    @tasks.operation("GET", "/tasks", needs=READ, query=ListQuery(), responses=LISTED)
    def list_tasks(query: dict[str, Any]) -> Response:
        """List tasks

        The answer has the tasks that match every filter, newest first, without arguments and results unless they are to
        be included. A page ends early where these have more than 1 MiB: `next` continues it.

        With `Accept: application/x-ndjson` the answer has all of them, or `limit`, a task a line. Its last line is
        `{"next": null}`, or has the cursor of the rest after `limit` tasks. If the answer had to end early, the last
        line has an `error` too. An answer without such a line was cut off.
        """
        if request.accept_mimetypes.best_match((JSON, JSON_LINES)) == JSON_LINES:
            return json_lines.answer(Position(list_request(query, DEFAULT_PAGE_TASKS), query.get("limit")))
        wanted = list_request(query, query.get("limit", DEFAULT_PAGE_TASKS))
        return json_response(_page_json(list_page(wanted), wanted.include))

    @tasks.operation("GET", "/tasks/counts", needs=READ, query=CountQuery(), responses=COUNTED)
    def count_tasks(query: dict[str, Any]) -> Response:
        """Count tasks by type and status

        Counts of zero are left out. With labels only tasks that have all of them are counted, among the newest 100,000
        that have one of them; `complete` tells whether these are all.
        """
        if terms := task_filter(query).terms:
            found = count.of(terms)
            return _counts_response({"counts": found.counts, "complete": found.is_complete})
        return _counts_response({"counts": count()})


def _counts_response(counts: dict[str, Any]) -> Response:
    return json_response(json.dumps(counts, ensure_ascii=False))


def _page_json(page: TaskPage, include: Collection[Part]) -> str:
    tasks = ",".join(summary_json(view, include) for view in page.views)
    return f'{{"tasks":[{tasks}],"next":{encoded_cursor(page.next)}}}'
