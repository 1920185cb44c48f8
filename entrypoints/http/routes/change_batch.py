"""Routes that change a batch: POST /batches/{id}/close, /cancel and /retry."""

from collections.abc import Callable
from typing import Any

from flask import Response

from application.use_cases.change_tasks import ChangeTasksRequest, ChangeTasksResult
from domain.ids import BatchId
from entrypoints.batch_json import batch_json
from entrypoints.http.access.needs import MANAGE, SUBMIT
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.bulkhead import Bulkhead
from entrypoints.http.openapi.batch_schemas import BATCH_EXAMPLE
from entrypoints.http.openapi.describe import (
    BATCH_ID,
    UNKNOWN_BATCH,
    error_responses,
    response,
)
from entrypoints.http.requests.filters import ContinuedQuery, decoded_cursor, encoded_cursor, task_filter
from entrypoints.http.requests.parsing import batch_id
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.services import Services

CLOSED_NOW = response(200, "The closed batch.", "Batch", BATCH_EXAMPLE) | error_responses(UNKNOWN_BATCH)
CHANGED = response(200, "The number of changed tasks.", "Changed", {"count": 3, "next": None}) | error_responses(
    UNKNOWN_BATCH
)


def add_change_batch(batches: Blueprint, services: Services) -> None:
    """Add the routes."""
    view, close, finish = services.view_batch(), services.close_batch(), services.finish_batches()
    cancel, retry = services.cancel_tasks(), services.retry_tasks()
    bulkhead = Bulkhead(1, "another request is changing many tasks: try again")

    def change_tasks(
        id: BatchId, change: Callable[[ChangeTasksRequest], ChangeTasksResult], query: dict[str, Any]
    ) -> Response:
        view(id)
        with bulkhead:
            result = change(ChangeTasksRequest(filter=task_filter({"batch": id}), before=decoded_cursor(query)))
        finish([id])
        return json_response(f'{{"count":{result.count},"next":{encoded_cursor(result.next)}}}')

    @batches.operation("POST", "/batches/<id>/close", needs=SUBMIT, parameters=[BATCH_ID], responses=CLOSED_NOW)
    def close_batch(id: str) -> Response:
        """Close a batch

        No task can be added to it any more, and it finishes when all of its tasks have. Closing it again is no error.
        """
        batch = batch_id(id)
        close(batch)
        return json_response(batch_json(view(batch)))

    @batches.operation(
        "POST", "/batches/<id>/cancel", needs=MANAGE, query=ContinuedQuery(), parameters=[BATCH_ID], responses=CHANGED
    )
    def cancel_batch(query: dict[str, Any], id: str) -> Response:
        """Cancel the tasks of a batch

        The request closes the batch, and cancels all of its tasks that wait or run. It works in batches, as the request
        that cancels many tasks: if `next` is not null, the same request with `next` as its `cursor` continues.
        """
        batch = batch_id(id)
        close(batch)
        return change_tasks(batch, cancel, query)

    @batches.operation(
        "POST", "/batches/<id>/retry", needs=MANAGE, query=ContinuedQuery(), parameters=[BATCH_ID], responses=CHANGED
    )
    def retry_batch(query: dict[str, Any], id: str) -> Response:
        """Retry the tasks of a batch

        The request retries all of its tasks that failed or were cancelled, as the request that retries many tasks. The
        batch is not finished any more, until all of its tasks have finished again.
        """
        return change_tasks(batch_id(id), retry, query)
