"""Route that streams the changes of a task: GET /task/{id}/events."""

import json
from collections.abc import Iterator
from typing import Any

from flask import Response, request

from application.use_cases.follow_task import TaskFollower
from application.view import View
from domain.status import Status
from entrypoints.http.access.needs import READ
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.wait import RETRY_AFTER_ONE_SECOND
from entrypoints.http.openapi.describe import RETRY_AFTER_HEADERS, TASK_EXAMPLE, TASK_ID, UNKNOWN_TASK, error_responses
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.responses.json_response import JSON, NO_STORE, no_content
from entrypoints.http.services import Services
from entrypoints.task_json import task_json

EVENT_STREAM = "text/event-stream"
RECONNECT = b"retry: 1000\n\n"
"""Field with the milliseconds that browsers wait before they reconnect."""
HEARTBEAT = b":\n\n"
MESSAGE, LOG = "message", "log"
"""Names of events: that of the task itself, which is left out, and that its log has changed while it runs."""
UNBUFFERED_HEADERS = {**NO_STORE, "X-Accel-Buffering": "no"}
"""Headers that ask proxies to forward each event at once, and to keep none."""

LAST_EVENT_ID: dict[str, Any] = {
    "in": "header",
    "name": "Last-Event-ID",
    "description": "Id of the last event that the client received. The stream continues after this event.",
    "schema": {"type": "string"},
}
EVENT = {
    "type": "object",
    "description": "An event of the stream.",
    "properties": {
        "id": {"type": "string", "description": "Version of the task, for `Last-Event-ID`."},
        "event": {
            "type": "string",
            "enum": [MESSAGE, LOG],
            "description": "`log` if the log of the task has changed: `data` is then an object with the `id` of the "
            "task and the `claim` of the start. Left out, it is `message`: `data` is the task.",
        },
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
        "description": "A stream of events. If too many tasks are followed already, it has one event only, and the "
        "answer has `Retry-After`.",
        "headers": RETRY_AFTER_HEADERS,
        "content": {EVENT_STREAM: {"schema": EVENT, "example": {"id": "741", "data": json.dumps(TASK_EXAMPLE)}}},
    },
    204: {"description": "The task has finished, and the client has received its last event: it must not reconnect."},
} | error_responses(UNKNOWN_TASK)


def add_events(tasks: Blueprint, services: Services) -> None:
    """Add the route."""
    follow = services.follow_task()

    @tasks.operation("GET", "/task/<id>/events", needs=READ, parameters=[TASK_ID, LAST_EVENT_ID], responses=STREAM)
    def task_events(id: str) -> Response:
        """Follow a task by server-sent events

        The stream sends the current task, and the task again after each change of its status or progress, until the
        task has finished. Changes in quick succession may be merged; the last one is always sent. An event named `log`
        says that a running task has printed something, which its log has now; a client that does not ask for such
        events does not see them. A line with only a colon is a heartbeat. `new EventSource(…)` in a browser reads such
        a stream and reconnects by itself.
        """
        follower = follow(task_id(id))
        is_first_known = str(follower.first.stored.version) == request.headers.get("Last-Event-ID")
        if is_first_known and follower.first.task.status.is_final:
            return no_content()
        headers = UNBUFFERED_HEADERS | (RETRY_AFTER_ONE_SECOND if follower.was_turned_away else {})
        response = Response(stream(follower, is_first_known), headers=headers, content_type=EVENT_STREAM)
        response.call_on_close(follower.close)
        return response


def stream(follower: TaskFollower, is_first_known: bool) -> Iterator[bytes]:
    """Yield events for each view that differs from the one before, and a heartbeat for each that does not.

    The first view is left out if the client knows it.
    """
    yield RECONNECT
    previous = follower.first
    if first := _log_event(previous) + (b"" if is_first_known else previous.once(_event)):
        yield first
    for view in follower.later():
        news = b"" if view.stored.printed == previous.stored.printed else _log_event(view)
        news += b"" if view.once(task_json) == previous.once(task_json) else view.once(_event)
        previous = view
        yield news or HEARTBEAT


def _log_event(view: View) -> bytes:
    """The event that the log of a running task has changed; nothing where it has none, or is read at its end anyway.

    It has no id, which would tell a client that connects again that it knows the state of that version.
    """
    if view.stored.printed is None or view.task.status is not Status.RUNNING:
        return b""
    return f'event: {LOG}\ndata: {{"id":{view.task.id},"claim":{view.task.claims}}}\n\n'.encode()


def _event(view: View) -> bytes:
    return f"id: {view.stored.version}\ndata: {view.once(task_json)}\n\n".encode()
