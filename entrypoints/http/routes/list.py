"""Routes that read many tasks: GET /tasks and /tasks/counts."""

import json
from typing import Any

from flask import Response

from application.use_cases.list_tasks import ListTasksRequest, TaskPage
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.openapi.describe import TASK_EXAMPLE, error_responses, response
from entrypoints.http.openapi.schemas import SUMMARY
from entrypoints.http.requests.filters import (
    DEFAULT_PAGE_TASKS,
    CountQuery,
    ListQuery,
    decoded_cursor,
    encoded_cursor,
    task_filter,
)
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.services import Services
from entrypoints.task_json import summary_json

PAGE_EXAMPLE = {"tasks": [{name: TASK_EXAMPLE[name] for name in SUMMARY["required"]}], "next": None}
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

    @tasks.operation("GET", "/tasks", query=ListQuery(), responses=LISTED)
    def list_tasks(query: dict[str, Any]) -> Response:
        """List tasks

        The answer has the tasks that match every filter, newest first, without arguments and results.
        """
        request = ListTasksRequest(
            filter=task_filter(query), before=decoded_cursor(query), limit=query.get("limit", DEFAULT_PAGE_TASKS)
        )
        return json_response(_page_json(list_page(request)))

    @tasks.operation("GET", "/tasks/counts", query=CountQuery(), responses=COUNTED)
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


def _page_json(page: TaskPage) -> str:
    return f'{{"tasks":[{",".join(map(summary_json, page.views))}],"next":{encoded_cursor(page.next)}}}'
