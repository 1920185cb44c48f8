"""Route that streams the changes of many tasks over one connection: GET /events."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from flask import Response, request

from application.errors import ApplicationError
from application.use_cases.follow_tasks import MAX_TASKS, FollowTasks, States, TasksFollower
from domain.ids import TaskId
from entrypoints.http.access.needs import READ
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.wait import RETRY_AFTER_ONE_SECOND
from entrypoints.http.openapi.describe import RETRY_AFTER_HEADERS, error_responses
from entrypoints.http.requests.filters import EventsQuery, task_filter
from entrypoints.http.responses.json_response import JSON, no_content
from entrypoints.http.responses.shown_states import ShownStates
from entrypoints.http.routes.events import (
    EVENT_STREAM,
    HEARTBEAT,
    LAST_EVENT_ID,
    MESSAGE,
    RECONNECT,
    UNBUFFERED_HEADERS,
)
from entrypoints.http.services import Services
from entrypoints.task_json import state_json, task_json

DELETED = "deleted"
"""Name of the event that a task is gone."""
PIECE_CHARACTERS, PIECE_TASKS = 64 * 1024, 20
"""Characters of events that are sent at once, and whole tasks that are read at once."""
STATE_EXAMPLE = {"id": 9, "status": "running", "progress": {"value": 0.4, "message": "reading"}, "attempt": 1}
EVENT = {
    "type": "object",
    "description": "An event of the stream.",
    "properties": {
        "id": {
            "type": "string",
            "description": "Digest of the states of all tasks so far, for `Last-Event-ID`. Of several events at once "
            "the last one has it.",
        },
        "event": {
            "type": "string",
            "enum": [MESSAGE, DELETED],
            "description": "`deleted` if the task is gone: `data` is then an object with the `id` of the task. Left "
            "out, it is `message`: `data` is the state of the task.",
        },
        "data": {
            "type": "string",
            "description": "The state of a task, or the task with `include=task`.",
            "contentMediaType": JSON,
            "contentSchema": {"$ref": "#/components/schemas/TaskState"},
        },
    },
    "required": ["data"],
}
STREAM = {
    200: {
        "description": "A stream of events. If too many tasks are followed already, it ends after the present states, "
        "and the answer has `Retry-After`.",
        "headers": RETRY_AFTER_HEADERS,
        "content": {
            EVENT_STREAM: {"schema": EVENT, "example": {"id": "1d3f5a7b9c", "data": json.dumps(STATE_EXAMPLE)}}
        },
    },
    204: {"description": "All tasks have finished, and the client knows their states: it must not reconnect."},
} | error_responses(
    {422: f"A parameter is unknown or out of bounds, or more than {MAX_TASKS:,} tasks that have not finished match."}
)
Texts = Callable[[States], Iterator[str]]


def add_events_of_many(tasks: Blueprint, services: Services) -> None:
    """Add the route."""
    follow = services.follow_tasks()

    @tasks.operation("GET", "/events", needs=READ, query=EventsQuery(), headers=[LAST_EVENT_ID], responses=STREAM)
    def events(query: dict[str, Any]) -> Response:
        """Follow many tasks by server-sent events

        The stream sends the state of each matching task, and its state again after each change of its status, progress
        or attempt, until all have finished, and the batch of the filter is closed. Changes in quick succession may be
        merged; the last one of each task is always sent. Tasks that begin to match join the stream within seconds,
        unless the filter names ids. A task that matched once is followed until it has finished. An event named
        `deleted` says that a task is gone, or that an id of the filter has none. If anything has changed since the
        `Last-Event-ID`, the states of all tasks are sent again.
        """
        follower = follow(task_filter(query))
        shown = ShownStates()
        states = shown.update(follower.first)
        is_known = request.headers.get("Last-Event-ID") == shown.digest
        if is_known and follower.is_over:
            return no_content()
        texts = whole_tasks(follow) if "include" in query else small_states
        headers = UNBUFFERED_HEADERS | (RETRY_AFTER_ONE_SECOND if follower.was_turned_away else {})
        body = stream(follower, shown, {} if is_known else states, texts)
        response = Response(body, headers=headers, content_type=EVENT_STREAM)
        response.call_on_close(follower.close)
        return response


def stream(follower: TasksFollower, shown: ShownStates, first: States, texts: Texts) -> Iterator[bytes]:
    """Yield the events of the first states and of each that looks different later, and heartbeats in between.

    A stream whose tasks cannot be read ends: the client connects again, and has missed nothing.
    """
    yield RECONNECT
    try:
        yield from pieces(texts(first), shown.digest)
        for states in follower.later():
            yield from pieces(texts(shown.update(states)), shown.digest)
    except ApplicationError:
        return


def pieces(texts: Iterable[str], digest: str) -> Iterator[bytes]:
    """Yield events in pieces, the last event with the digest; a heartbeat with it where there are none.

    A client that has received only some of them thus sends an older digest, and receives them again.
    """
    held, size = list[str](), 0
    for text in texts:
        if size > PIECE_CHARACTERS:
            yield "".join(held).encode()
            held, size = [], 0
        held.append(text)
        size += len(text)
    *others, last = held or [HEARTBEAT.decode()]
    yield "".join([*others, f"id: {digest}\n", last]).encode()


def small_states(states: States) -> Iterator[str]:
    """Make an event of each state."""
    for id, state in states.items():
        yield _deleted(id) if state is None else f"data: {state_json(state.task)}\n\n"


def whole_tasks(follow: FollowTasks) -> Texts:
    """Make the function that makes an event of each task, as it is now."""

    def texts(states: States) -> Iterator[str]:
        yield from (_deleted(id) for id, state in states.items() if state is None)
        ids = iter([id for id, state in states.items() if state])
        while piece := list(islice(ids, PIECE_TASKS)):
            yield from (f"data: {task_json(view)}\n\n" for view in follow.whole(piece))

    return texts


def _deleted(id: TaskId) -> str:
    return f'event: {DELETED}\ndata: {{"id":{id}}}\n\n'
