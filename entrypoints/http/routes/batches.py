"""Routes of batches: tasks that are submitted, followed and changed as one."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

from flask import Response, request
from marshmallow import fields
from marshmallow.validate import Range

from application.errors import InvalidBatch
from application.items import Item
from application.json.fingerprint import digest
from application.json.items import with_items
from application.ports.listing import Filter
from application.use_cases.change_tasks import MAX_ID, ChangeTasksRequest, ChangeTasksResult
from application.use_cases.create_batch import BatchRequest, CheckedTasks, CreatedBatch
from application.use_cases.follow_batch import BatchFollower
from application.use_cases.view_batch import BatchView
from domain.batch import MAX_NAME_CHARACTERS
from domain.ids import BatchId, IdempotencyKey
from entrypoints.batch_json import batch_json, batch_summary_json
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.bulkhead import Bulkhead
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.limits.reception import Receptions
from entrypoints.http.limits.wait import RETRY_AFTER_ONE_SECOND
from entrypoints.http.openapi.describe import (
    BATCH_ID,
    CLOSED,
    LATE_BODY,
    RETRY_AFTER_HEADERS,
    UNKNOWN_BATCH,
    UNSUPPORTED_BODY,
    error_responses,
    response,
)
from entrypoints.http.requests.body import body, json_items
from entrypoints.http.requests.filters import DEFAULT_PAGE_TASKS, MAX_PAGE_TASKS, encoded_cursor
from entrypoints.http.requests.idempotency_key import KEY_HEADER, idempotency_key_of_request
from entrypoints.http.requests.parsing import ID, Number, WholeNumber, WholeText, batch_id
from entrypoints.http.requests.queries import MAX_WAIT_SECONDS, StrictSchema
from entrypoints.http.responses.json_response import JSON, json_response, no_content
from entrypoints.http.routes.events import EVENT_STREAM, HEARTBEAT, LAST_EVENT_ID, RECONNECT, UNBUFFERED_HEADERS
from entrypoints.http.routes.items import (
    ITEM,
    LABELS_SCHEMA,
    MAX_BODIES_PROCESSED,
    MAX_BODIES_RECEIVED,
    MAX_BYTES,
    MAX_PROCESSING_WAIT_SECONDS,
    MAX_TASKS,
    item_parser,
    up_to,
)
from entrypoints.http.services import Services

TASKS = "tasks"
_PROPERTIES = {name: each for name, each in ITEM["properties"].items() if name != "idempotency_key"}
BATCH_ITEM = ITEM | {"properties": _PROPERTIES}
NOT_OF_FOLLOWER = frozenset({"after", "delay", "if_failed", "ref", "run_at"})
"""Members of an item that the task which follows a batch has not: the end of the batch lets it start."""
MEMBERS: dict[str, Any] = {
    "name": {"type": ["string", "null"], "maxLength": MAX_NAME_CHARACTERS, "description": "A name for people."},
    "labels": LABELS_SCHEMA | {"description": "Labels of the batch itself, texts by name."},
    "then": {
        "type": ["object", "null"],
        "description": "The task that starts once the batch has finished, whatever the ends of its tasks are.",
        "properties": {name: each for name, each in _PROPERTIES.items() if name not in NOT_OF_FOLLOWER},
        "additionalProperties": False,
    },
    "open": {
        "type": "boolean",
        "description": "Whether tasks can be added to the batch until it is closed. The default is false.",
    },
    "callback": {
        "type": ["string", "null"],
        "description": "Address that receives a signed callback each time the batch has finished.",
    },
}
TASKS_SCHEMA = {
    "type": "array",
    "maxItems": MAX_TASKS,
    "items": BATCH_ITEM,
    "description": "The tasks, as in `POST /tasks`, but without idempotency keys of their own.",
}
SCHEMA = {"type": "object", "properties": {TASKS: TASKS_SCHEMA, **MEMBERS}, "additionalProperties": False}
EXAMPLE_ITEMS = [{"args": {"required_arg": "one"}}, {"args": {"required_arg": "two"}}]
BODY = {
    "required": True,
    "content": {JSON: {"schema": SCHEMA, "example": {"name": "sweep of drag", TASKS: EXAMPLE_ITEMS}}},
}
ADDED_BODY = {"required": True, "content": {JSON: {"schema": TASKS_SCHEMA, "example": EXAMPLE_ITEMS}}}
KEY = KEY_HEADER | {
    "description": "A text that the client chooses, such as a UUID. A request with the key of an earlier one and the "
    "same body is answered as the earlier one was, and creates nothing."
}
IDS = {"id": 7, "ids": [192, 193], "then": 194}
BATCH_EXAMPLE: dict[str, Any] = {
    "id": 7,
    "name": "sweep of drag",
    "labels": {"user": "ana"},
    "open": False,
    "created": 1668797946,
    "expire": 1668884346,
    "finished": None,
    "total": 3,
    "counts": {"waiting": 1, "running": 0, "done": 1, "failed": 1, "cancelled": 0, "deleted": 0},
    "progress": {"value": 0.75, "message": "3 of 4"},
    "then": 194,
    "callback": None,
    "failures": [
        {
            "id": 193,
            "type": "default",
            "error": {"type": "ValueError", "message": "the radius is negative", "attempt": 1},
        }
    ],
}
SUMMARY_EXAMPLE = {name: value for name, value in BATCH_EXAMPLE.items() if name != "failures"}
INVALID = {
    400: "The body is not JSON.",
    408: LATE_BODY,
    413: f"The body is longer than {MAX_BYTES} bytes.",
    415: UNSUPPORTED_BODY,
    503: CLOSED,
}
CREATED = (
    response(200, "The batch of an earlier request with the same idempotency key.", "BatchIds", IDS)
    | response(201, "The batch and all of its tasks were created.", "BatchIds", IDS)
    | error_responses(
        INVALID
        | {
            422: "The batch or some of its tasks cannot be created, so nothing was; `errors` names each place. Or the "
            "idempotency key belongs to another batch.",
        }
    )
)
ADDED = (
    response(200, "The tasks of an earlier request with the same idempotency key.", "Ids", {"ids": [194]})
    | response(201, "All tasks were added.", "Ids", {"ids": [194]})
    | error_responses(
        INVALID
        | UNKNOWN_BATCH
        | {
            409: "The batch is closed.",
            422: "Some tasks cannot be submitted, so none was added; `errors` names each by its index. Or the "
            "idempotency key belongs to another request.",
        }
    )
)
VIEWED = response(200, "The batch.", "Batch", BATCH_EXAMPLE, headers=RETRY_AFTER_HEADERS) | error_responses(
    UNKNOWN_BATCH | {422: "A parameter is unknown or out of bounds."}
)
CLOSED_NOW = response(200, "The closed batch.", "Batch", BATCH_EXAMPLE) | error_responses(UNKNOWN_BATCH)
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
LISTED = response(
    200, "A page of batches.", "BatchPage", {"batches": [SUMMARY_EXAMPLE], "next": None}
) | error_responses({422: "A parameter is unknown or out of bounds."})
CHANGED = response(200, "The number of changed tasks.", "Changed", {"count": 3, "next": None}) | error_responses(
    UNKNOWN_BATCH
)


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
    _add_creating(batches, services)
    _add_reading(batches, services)
    _add_changing(batches, services)


def _add_creating(batches: Blueprint, services: Services) -> None:
    create, submit, settings = services.create_batch(), services.submit_tasks(), services.settings()
    checker = services.checker()
    parse = item_parser(checker)
    schema = json.dumps({"type": "object", "properties": MEMBERS, "additionalProperties": False})
    receptions = Receptions(MAX_BODIES_RECEIVED)
    processing = Bulkhead(
        MAX_BODIES_PROCESSED, "another request is submitting many tasks: try again", MAX_PROCESSING_WAIT_SECONDS
    )

    def received(slots: ExitStack) -> str:
        with suspended():
            text = body(slots.enter_context(receptions.place()).read, MAX_BYTES)
            slots.enter_context(processing)
        return text

    def checked(items: Iterator[Any]) -> CheckedTasks:
        return create.checked(map(parse, up_to(MAX_TASKS, items)))

    @batches.operation("POST", "/batches", headers=[KEY], requestBody=BODY, responses=CREATED)
    def create_batch() -> Response:
        """Create a batch of tasks

        The request creates the batch and all of its tasks, or nothing. The body has up to 10,000 tasks and 32 MiB. The
        ids are in the order of the tasks. A batch has finished when it is closed and all of its tasks have finished; an
        empty one has at once.
        """
        with ExitStack() as slots:
            text = received(slots)
            key = idempotency_key_of_request()
            members, tasks = with_items(text, TASKS, settings.max_body, checked)
            if errors := checker.errors(schema, members):
                raise InvalidBatch(errors)
            then = parse(members["then"]) if members.get("then") is not None else None
            created = create(_batch_request(members, then, key), tasks or create.checked([]))
        return _created(created)

    @batches.operation(
        "POST", "/batches/<id>/tasks", parameters=[BATCH_ID], headers=[KEY], requestBody=ADDED_BODY, responses=ADDED
    )
    def add_to_batch(id: str) -> Response:
        """Add tasks to an open batch

        The request adds all tasks or none, as `POST /tasks` does.
        """
        batch = batch_id(id)
        with ExitStack() as slots:
            items = map(parse, up_to(MAX_TASKS, json_items(received(slots), settings.max_body)))
            key = idempotency_key_of_request()
            added = submit(items, key, batch)
        is_repeated = key and added.ids and not added.has_new
        return json_response(f'{{"ids":{json.dumps(added.ids)}}}', 200 if is_repeated else 201)


def _add_reading(batches: Blueprint, services: Services) -> None:
    view, follow, list_page = services.view_batch(), services.follow_batch(), services.list_batches()

    @batches.operation("GET", "/batches", query=BatchListQuery(), responses=LISTED)
    def list_batches(query: dict[str, Any]) -> Response:
        """List batches

        The answer has the newest batches first, without their failures.
        """
        before = BatchId(int(query["cursor"])) if "cursor" in query else None
        page = list_page(before, query.get("limit", DEFAULT_PAGE_TASKS))
        shown = ",".join(map(batch_summary_json, page.records))
        return json_response(f'{{"batches":[{shown}],"next":{encoded_cursor(page.next)}}}')

    @batches.operation("GET", "/batches/<id>", query=WaitQuery(), parameters=[BATCH_ID], responses=VIEWED)
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

    @batches.operation("GET", "/batches/<id>/events", parameters=[BATCH_ID, LAST_EVENT_ID], responses=STREAM)
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


def _add_changing(batches: Blueprint, services: Services) -> None:
    view, close, finish = services.view_batch(), services.close_batch(), services.finish_batches()
    cancel, retry = services.cancel_tasks(), services.retry_tasks()
    bulkhead = Bulkhead(1, "another request is changing many tasks: try again")

    def change_tasks(id: BatchId, change: Callable[[ChangeTasksRequest], ChangeTasksResult]) -> Response:
        view(id)
        with bulkhead:
            result = change(ChangeTasksRequest(filter=Filter(batch=id), limit=MAX_ID))
        finish([id])
        return json_response(f'{{"count":{result.count},"next":{encoded_cursor(result.next)}}}')

    @batches.operation("POST", "/batches/<id>/close", parameters=[BATCH_ID], responses=CLOSED_NOW)
    def close_batch(id: str) -> Response:
        """Close a batch

        No task can be added to it any more, and it finishes when all of its tasks have. Closing it again is no error.
        """
        batch = batch_id(id)
        close(batch)
        return json_response(batch_json(view(batch)))

    @batches.operation("POST", "/batches/<id>/cancel", parameters=[BATCH_ID], responses=CHANGED)
    def cancel_batch(id: str) -> Response:
        """Cancel the tasks of a batch

        The request closes the batch, and cancels all of its tasks that wait or run. It works in batches and has a
        `next`, as the request that cancels many tasks: if it is not null, the same request continues.
        """
        batch = batch_id(id)
        close(batch)
        return change_tasks(batch, cancel)

    @batches.operation("POST", "/batches/<id>/retry", parameters=[BATCH_ID], responses=CHANGED)
    def retry_batch(id: str) -> Response:
        """Retry the tasks of a batch

        The request retries all of its tasks that failed or were cancelled, as the request that retries many tasks. The
        batch is not finished any more, until all of its tasks have finished again.
        """
        return change_tasks(batch_id(id), retry)


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


def _batch_request(members: dict[str, Any], then: Item | None, key: IdempotencyKey | None) -> BatchRequest:
    return BatchRequest(
        name=members.get("name"),
        labels=members.get("labels", {}),
        is_open=members.get("open", False),
        then=then,
        callback=members.get("callback"),
        key=key,
    )


def _created(created: CreatedBatch) -> Response:
    text = json.dumps({"id": created.id, "ids": [*created.ids], "then": created.then}, separators=(",", ":"))
    return json_response(text, 201 if created.is_new else 200)
