"""Routes that read batches: GET /batches and /batches/{id}."""

from contextlib import closing
from typing import Any

from flask import Response
from marshmallow import fields
from marshmallow.validate import Range

from domain.ids import BatchId
from entrypoints.batch_json import batch_json, batch_summary_json
from entrypoints.http.access.current import own_tasks_of
from entrypoints.http.access.needs import READ
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.limits.wait import RETRY_AFTER_ONE_SECOND
from entrypoints.http.openapi.batch_schemas import BATCH_EXAMPLE, SUMMARY_EXAMPLE
from entrypoints.http.openapi.describe import (
    BATCH_ID,
    RETRY_AFTER_HEADERS,
    UNKNOWN_BATCH,
    error_responses,
    response,
)
from entrypoints.http.requests.filters import DEFAULT_PAGE_TASKS, MAX_PAGE_TASKS, encoded_cursor
from entrypoints.http.requests.parsing import ID, Number, WholeNumber, WholeText, batch_id
from entrypoints.http.requests.queries import MAX_WAIT_SECONDS, StrictSchema
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.services import Services

VIEWED = response(200, "The batch.", "Batch", BATCH_EXAMPLE, headers=RETRY_AFTER_HEADERS) | error_responses(
    UNKNOWN_BATCH | {422: "A parameter is unknown or out of bounds."}
)
LISTED = response(
    200, "A page of batches.", "BatchPage", {"batches": [SUMMARY_EXAMPLE], "next": None}
) | error_responses({422: "A parameter is unknown or out of bounds."})


class WaitQuery(StrictSchema):
    """The query of an operation that can wait for the batch to finish."""

    wait = Number(
        validate=Range(0, MAX_WAIT_SECONDS),
        metadata={
            "description": "Seconds to wait for the batch to finish; the answer is sent then, or when the time is over."
        },
    )


class BatchListQuery(StrictSchema):
    """The query of a page of batches."""

    limit = WholeNumber(
        validate=Range(1, MAX_PAGE_TASKS),
        metadata={"description": "Maximum number of batches in the answer.", "default": DEFAULT_PAGE_TASKS},
    )
    cursor = fields.String(
        validate=WholeText(rf"^{ID}$", error="Must be the `next` of an earlier answer."),
        metadata={"description": "The `next` of the previous answer."},
    )


def add_batches(batches: Blueprint, services: Services) -> None:
    """Add the routes."""
    view, follow, list_page = services.view_batch(), services.follow_batch(), services.list_batches()

    @batches.operation("GET", "/batches", needs=READ, query=BatchListQuery(), responses=LISTED)
    def list_batches(query: dict[str, Any]) -> Response:
        """List batches

        The answer has the newest batches first, without their failures.
        """
        before = BatchId(int(query["cursor"])) if "cursor" in query else None
        page = list_page(before, query.get("limit", DEFAULT_PAGE_TASKS), own_tasks_of())
        shown = ",".join(map(batch_summary_json, page.records))
        return json_response(f'{{"batches":[{shown}],"next":{encoded_cursor(page.next)}}}')

    @batches.operation("GET", "/batches/<id>", needs=READ, query=WaitQuery(), parameters=[BATCH_ID], responses=VIEWED)
    def view_batch(query: dict[str, Any], id: str) -> Response:
        """View a batch

        The answer has the number of its tasks by status, and the first failures. `GET /tasks?batch=7` lists its tasks.
        """
        batch = batch_id(id)
        if not query.get("wait"):
            return json_response(batch_json(view(batch)))
        with suspended(), closing(follow(batch)) as follower:
            seen = follow.until_finished(follower, query["wait"])
            headers = RETRY_AFTER_ONE_SECOND if follower.was_turned_away else {}
        return json_response(batch_json(seen), headers=headers)
