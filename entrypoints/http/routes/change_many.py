"""Routes that change many tasks: POST /tasks/cancel, /tasks/retry and /tasks/delete."""

from collections.abc import Callable
from typing import Any

from flask import Response

from application.use_cases.change_tasks import MAX_ID, ChangeTasksRequest, ChangeTasksResult
from entrypoints.http.access.needs import MANAGE
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.bulkhead import Bulkhead
from entrypoints.http.openapi.describe import error_responses, response
from entrypoints.http.requests.filters import (
    CancelQuery,
    DeleteQuery,
    RetryQuery,
    decoded_cursor,
    encoded_cursor,
    task_filter,
)
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.services import Services

EXAMPLE = {"count": 1200, "next": None}
INVALID_QUERY = {422: "A parameter is unknown or out of bounds, or the status is not one that the operation accepts."}
CANCELLED = response(200, "The number of cancelled tasks.", "Changed", EXAMPLE) | error_responses(INVALID_QUERY)
RETRIED = response(200, "The number of tasks that wait again.", "Changed", EXAMPLE) | error_responses(INVALID_QUERY)

DELETED = response(200, "The number of deleted tasks.", "Changed", EXAMPLE) | error_responses(INVALID_QUERY)


def add_change_many(tasks: Blueprint, services: Services) -> None:
    """Add the routes. All share one slot, so that a process serves one such request at a time."""
    cancel, retry, delete = services.cancel_tasks(), services.retry_tasks(), services.delete_tasks()
    bulkhead = Bulkhead(1, "another request is changing many tasks: try again")

    def change_many(change: Callable[[ChangeTasksRequest], ChangeTasksResult], query: dict[str, Any]) -> Response:
        with bulkhead:
            result = change(
                ChangeTasksRequest(
                    filter=task_filter(query), before=decoded_cursor(query), limit=query.get("limit", MAX_ID)
                )
            )
        return json_response(f'{{"count":{result.count},"next":{encoded_cursor(result.next)}}}')

    @tasks.operation("POST", "/tasks/cancel", needs=MANAGE, query=CancelQuery(), responses=CANCELLED)
    def cancel_tasks(query: dict[str, Any]) -> Response:
        """Cancel many tasks

        The request cancels all waiting and running tasks that match every filter; without filters, all of them. It
        changes tasks in batches, newest first, but tasks that wait for others before those, and stops after 10 seconds,
        at a batch with a locked task, or when the database becomes unavailable. If `next` is not null, the same request
        with `next` as its `cursor` continues. Each process of the API serves one such request at a time and answers
        another with 503.
        """
        return change_many(cancel, query)

    @tasks.operation("POST", "/tasks/retry", needs=MANAGE, query=RetryQuery(), responses=RETRIED)
    def retry_tasks(query: dict[str, Any]) -> Response:
        """Retry many tasks

        The request retries all failed and cancelled tasks that match every filter; without filters, all of them. Each
        task waits again under the same id, with as many new attempts as the `max_attempts` of its type. The request
        works in batches and has a `next`, as the request that cancels many tasks, but tasks for which others wait come
        before those.
        """
        return change_many(retry, query)

    @tasks.operation("POST", "/tasks/delete", needs=MANAGE, query=DeleteQuery(), responses=DELETED)
    def delete_tasks(query: dict[str, Any]) -> Response:
        """Delete many tasks

        The request deletes all tasks that match every filter, with their logs, but for running ones; without filters,
        all of them. The request works in batches and has a `next`, as the request that cancels many tasks.
        """
        return change_many(delete, query)
