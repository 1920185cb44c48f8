"""POST /tasks/cancel and /tasks/retry: change many tasks."""

from collections.abc import Callable
from typing import Any

from flask import Response

from application.use_cases.change_tasks import MAX_ID, ChangeTasksRequest, ChangeTasksResult
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.bulkhead import Bulkhead
from entrypoints.http.openapi.describe import error_responses, response
from entrypoints.http.requests.filters import CancelQuery, RetryQuery, decoded_cursor, encoded_cursor, task_filter
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.services import Services

EXAMPLE = {"count": 1200, "next": None}
WRONG = {422: "A parameter is not known or out of bounds, or the status is none that this takes."}
CANCELLED = response(200, "How many were cancelled.", "Changed", EXAMPLE) | error_responses(WRONG)
RETRIED = response(200, "How many wait again.", "Changed", EXAMPLE) | error_responses(WRONG)


def add_change_many(tasks: Blueprint, services: Services) -> None:
    """Adds the routes that change many."""
    cancel, retry = services.cancel_tasks(), services.retry_tasks()
    bulkhead = Bulkhead(1, "another request is changing many tasks: try again")

    def changed(change: Callable[[ChangeTasksRequest], ChangeTasksResult], query: dict[str, Any]) -> Response:
        with bulkhead:
            done = change(
                ChangeTasksRequest(
                    filter=task_filter(query), before=decoded_cursor(query), limit=query.get("limit", MAX_ID)
                )
            )
        return json_response(f'{{"count":{done.count},"next":{encoded_cursor(done.next)}}}')

    @tasks.operation("POST", "/tasks/cancel", query=CancelQuery(), responses=CANCELLED)
    def cancel_tasks(query: dict[str, Any]) -> Response:
        """Cancel many tasks

        Those that wait or run and of which all holds that the query asks for; without a query, all. Newest first and in
        batches, for 10 seconds at most: what is left then is reached by the same request with `next` as its `cursor`.
        So is what could not be reached because somebody had it locked, or the database went away. One request of this
        kind at a time: another is answered 503.
        """
        return changed(cancel, query)

    @tasks.operation("POST", "/tasks/retry", query=RetryQuery(), responses=RETRIED)
    def retry_tasks(query: dict[str, Any]) -> Response:
        """Retry many tasks

        Those that failed or were cancelled and of which all holds that the query asks for; without a query, all. Each
        waits again under its id, allowed as many attempts more as its type has. In batches, as for cancelling.
        """
        return changed(retry, query)
