"""Routes that read one task: its view and its log."""

from typing import Any

from flask import Response

from domain.ids import TaskId
from entrypoints.http.access.needs import READ
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
    {**UNKNOWN_TASK, 422: "A parameter is unknown or out of bounds."}
)
LOGGED = response(200, "The log of the task.", "Log", LOG_EXAMPLE) | error_responses(UNKNOWN_TASK)


def add_view(tasks: Blueprint, services: Services) -> None:
    """Add the routes."""
    view, attempts = services.view_task(), services.view_log()
    wait = wait_for_task(services)

    def wait_and_view(id: TaskId, query: dict[str, Any]) -> Response:
        awaited = wait(view(id), query)
        return json_response(task_json(awaited.view), headers=retry_headers(awaited))

    @tasks.operation("GET", "/task/<id>/view", needs=READ, query=ViewQuery(), parameters=[TASK_ID], responses=VIEWED)
    def view_task(query: dict[str, Any], id: str) -> Response:
        """View a task

        The answer has the status of the task, its arguments, and its result once it is done.
        """
        return wait_and_view(task_id(id), query)

    @tasks.operation("GET", "/task/<task:id>", needs=READ, query=ViewQuery(), parameters=[TASK_ID], responses=VIEWED)
    def get_task(query: dict[str, Any], id: str) -> Response:
        """View a task at its shorter path"""
        return wait_and_view(task_id(id), query)

    @tasks.operation("GET", "/task/<id>/log", needs=READ, parameters=[TASK_ID], responses=LOGGED)
    def view_log(id: str) -> Response:
        """View the log of a task

        The log has the output of the function, the last 64 KiB of each start, and the tracebacks. A start gets an entry
        when it has ended, if it failed, was lost or printed anything. One that goes on has an entry about a second
        after it has printed something, with the last 16 KiB. The answer has the last 50 entries.
        """
        task = task_id(id)
        return json_response(log_json(task, attempts(task)))
