"""GET /task/{id} and its log: look at a task."""

from typing import Any

from flask import Response

from domain.ids import TaskId
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.wait import retry_headers, wait_for_task
from entrypoints.http.openapi.describe import (
    LOG_EXAMPLE,
    RETRY_AFTER_HEADERS,
    TASK_EXAMPLE,
    TASK_ID,
    UNKNOWN_TASK,
    error_responses,
    response,
)
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.requests.queries import ViewQuery
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.responses.log_json import log_json
from entrypoints.http.services import Services
from entrypoints.task_json import task_json

VIEWED = response(200, "The task.", "Task", TASK_EXAMPLE, headers=RETRY_AFTER_HEADERS) | error_responses(
    {**UNKNOWN_TASK, 422: "A parameter is not known or out of bounds."}
)
LOGGED = response(200, "Its log.", "Log", LOG_EXAMPLE) | error_responses(UNKNOWN_TASK)


def add_view(tasks: Blueprint, services: Services) -> None:
    """Adds the routes that read."""
    view, log = services.view_task(), services.view_log()
    wait = wait_for_task(services)

    def viewed(id: TaskId, query: dict[str, Any]) -> Response:
        awaited = wait(view(id), query)
        return json_response(task_json(awaited.view), headers=retry_headers(awaited))

    @tasks.operation("GET", "/task/<id>/view", query=ViewQuery(), parameters=[TASK_ID], responses=VIEWED)
    def view_task(query: dict[str, Any], id: str) -> Response:
        """View a task

        Where it stands, its arguments, and its result once it is done.
        """
        return viewed(task_id(id), query)

    @tasks.operation("GET", "/task/<task:id>", query=ViewQuery(), parameters=[TASK_ID], responses=VIEWED)
    def get_task(query: dict[str, Any], id: str) -> Response:
        """View a task, by its shorter address"""
        return viewed(task_id(id), query)

    @tasks.operation("GET", "/task/<id>/log", parameters=[TASK_ID], responses=LOGGED)
    def view_log(id: str) -> Response:
        """View the log of a task

        What its function printed and logged, the last 64 KiB of each start, and the tracebacks. A start has its entry
        as soon as it has ended, if it failed, was lost or printed anything; the last 50 are shown.
        """
        found = task_id(id)
        return json_response(log_json(found, log(found)))
