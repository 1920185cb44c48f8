"""GET /task/{id}/events: a task as it changes, as server-sent events."""

import json
from collections.abc import Iterator
from typing import Any

from flask import Response, request

from application.use_cases.follow_task import TaskFollower
from application.view import View
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.wait import RETRY_AFTER_ONE_SECOND
from entrypoints.http.openapi.describe import RETRY_AFTER_HEADERS, TASK_EXAMPLE, TASK_ID, UNKNOWN_TASK, error_responses
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.requests.queries import NoQuery
from entrypoints.http.responses.json_response import JSON, no_content
from entrypoints.http.services import Services
from entrypoints.task_json import task_json

EVENT_STREAM = "text/event-stream"
RECONNECT = b"retry: 1000\n\n"
"""In milliseconds: what browsers wait before they come again."""
HEARTBEAT = b":\n\n"
UNBUFFERED = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""Proxies are asked to hand on what they have."""

LAST_EVENT: dict[str, Any] = {
    "in": "header",
    "name": "Last-Event-ID",
    "description": "The id of the last event that was seen: what it showed is not sent again.",
    "schema": {"type": "string"},
}
EVENT = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {
        "id": {"type": "string", "description": "The version of the task, for `Last-Event-ID`."},
        "data": {
            "type": "string",
            "description": "The task.",
            "contentMediaType": JSON,
            "contentSchema": {"$ref": "#/components/schemas/Task"},
        },
    },
    "required": ["id", "data"],
}
STREAM = {
    200: {
        "description": "A stream of events. It has only one, and `Retry-After`, where too many are followed already.",
        "headers": RETRY_AFTER_HEADERS,
        "content": {EVENT_STREAM: {"schema": EVENT, "example": {"id": "741", "data": json.dumps(TASK_EXAMPLE)}}},
    },
    204: {"description": "The task has finished, and `Last-Event-ID` says that this was seen: do not come again."},
} | error_responses({**UNKNOWN_TASK, 422: "It takes no parameters."})


def add_events(tasks: Blueprint, services: Services) -> None:
    """Adds the route that streams."""
    follow = services.follow_task()

    @tasks.operation("GET", "/task/<id>/events", query=NoQuery(), parameters=[TASK_ID, LAST_EVENT], responses=STREAM)
    def task_events(query: dict[str, Any], id: str) -> Response:
        """Follow a task by server-sent events

        The task as it stands, and again whenever its status or its progress has changed, until it has finished; states
        in between may merge, the last one always comes. A line with a colon alone is a sign of life. Browsers read this
        with `new EventSource(…)`, and come again by themselves where a connection was cut.
        """
        following = follow(task_id(id))
        is_known = str(following.first.stored.version) == request.headers.get("Last-Event-ID")
        if is_known and following.first.task.status.is_final:
            return no_content()
        headers = UNBUFFERED | (RETRY_AFTER_ONE_SECOND if following.was_turned_away else {})
        answer = Response(stream(following, is_known), headers=headers, content_type=EVENT_STREAM)
        answer.call_on_close(following.close)
        return answer


def stream(following: TaskFollower, is_known: bool) -> Iterator[bytes]:
    """The views as events, the first one unless it is known, and signs of life where they look the same."""
    yield RECONNECT
    shown = following.first.once(task_json)
    if not is_known:
        yield following.first.once(_event)
    for view in following.later():
        before, shown = shown, view.once(task_json)
        yield view.once(_event) if shown != before else HEARTBEAT


def _event(view: View) -> bytes:
    return f"id: {view.stored.version}\ndata: {view.once(task_json)}\n\n".encode()
