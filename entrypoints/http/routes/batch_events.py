"""Route that streams the changes of a batch: GET /batches/{id}/events."""

import json
from collections.abc import Iterator

from flask import Response, request

from application.json.fingerprint import digest
from application.use_cases.follow_batch import BatchFollower
from application.use_cases.view_batch import BatchView
from entrypoints.batch_json import batch_json
from entrypoints.http.access.needs import READ
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.wait import RETRY_AFTER_ONE_SECOND
from entrypoints.http.openapi.batch_schemas import BATCH_EXAMPLE
from entrypoints.http.openapi.describe import (
    BATCH_ID,
    RETRY_AFTER_HEADERS,
    UNKNOWN_BATCH,
    error_responses,
)
from entrypoints.http.requests.parsing import batch_id
from entrypoints.http.responses.json_response import JSON, no_content
from entrypoints.http.routes.events import EVENT_STREAM, HEARTBEAT, LAST_EVENT_ID, RECONNECT, UNBUFFERED_HEADERS
from entrypoints.http.services import Services

STREAM = {
    200: {
        "description": "A stream of events. If too many batches are followed already, it has one event only, and the "
        "answer has `Retry-After`.",
        "headers": RETRY_AFTER_HEADERS,
        "content": {
            EVENT_STREAM: {
                "schema": {
                    "type": "object",
                    "description": "An event of the stream.",
                    "properties": {
                        "id": {"type": "string", "description": "Version of the batch, for `Last-Event-ID`."},
                        "data": {
                            "type": "string",
                            "description": "The batch.",
                            "contentMediaType": JSON,
                            "contentSchema": {"$ref": "#/components/schemas/Batch"},
                        },
                    },
                    "required": ["id", "data"],
                },
                "example": {"id": "8f14e45fceea167a5a36dedd4bea2543", "data": json.dumps(BATCH_EXAMPLE)},
            }
        },
    },
    204: {"description": "The batch has finished, and the client has received its last event: it must not reconnect."},
} | error_responses(UNKNOWN_BATCH)


def add_batch_events(batches: Blueprint, services: Services) -> None:
    """Add the route."""
    follow = services.follow_batch()

    @batches.operation(
        "GET", "/batches/<id>/events", needs=READ, parameters=[BATCH_ID, LAST_EVENT_ID], responses=STREAM
    )
    def batch_events(id: str) -> Response:
        """Follow a batch by server-sent events

        The stream sends the batch, and the batch again after each change of its counts, until it has finished. Changes
        in quick succession are merged; the last one is always sent. `GET /events?batch=7` follows each of its tasks.
        """
        follower = follow(batch_id(id))
        is_first_known = version_of(follower.first) == request.headers.get("Last-Event-ID")
        if is_first_known and follower.first.record.batch.finished:
            return no_content()
        headers = UNBUFFERED_HEADERS | (RETRY_AFTER_ONE_SECOND if follower.was_turned_away else {})
        response = Response(_stream(follower, is_first_known), headers=headers, content_type=EVENT_STREAM)
        response.call_on_close(follower.close)
        return response


def version_of(view: BatchView) -> str:
    """A text that changes whenever the batch does."""
    return digest(batch_json(view))


def _stream(follower: BatchFollower, is_first_known: bool) -> Iterator[bytes]:
    """Yield an event for each view that differs from the one before, and a heartbeat for each that does not."""
    yield RECONNECT
    sent = version_of(follower.first)
    if not is_first_known:
        yield _event(follower.first, sent)
    for view in follower.later():
        version = version_of(view)
        yield HEARTBEAT if version == sent else _event(view, version)
        sent = version


def _event(view: BatchView, version: str) -> bytes:
    return f"id: {version}\ndata: {batch_json(view)}\n\n".encode()
