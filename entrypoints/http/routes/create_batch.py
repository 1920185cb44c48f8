"""Routes that create batches and add tasks to open ones: POST /batches and /batches/{id}/tasks."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from flask import Response

from application.errors import InvalidBatch
from application.items import Item
from application.use_cases.create_batch import BatchRequest, CheckedTasks, CreatedBatch
from domain.batch import MAX_NAME_CHARACTERS
from domain.ids import IdempotencyKey
from entrypoints.http.access.current import current_access
from entrypoints.http.access.needs import SUBMIT
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.bulkhead import Bulkhead
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.limits.reception import Receptions
from entrypoints.http.openapi.describe import (
    BATCH_ID,
    CLOSED,
    LATE_BODY,
    UNKNOWN_BATCH,
    UNSUPPORTED_BODY,
    error_responses,
    response,
)
from entrypoints.http.requests.body import body, json_items, json_members
from entrypoints.http.requests.idempotency_key import KEY_HEADER, idempotency_key_of_request
from entrypoints.http.requests.parsing import batch_id
from entrypoints.http.responses.json_response import JSON, json_response
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
NOT_OF_FOLLOWER = frozenset({"after", "delay", "if_failed", "ref", "references", "run_at"})
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


def add_create_batch(batches: Blueprint, services: Services) -> None:
    """Add the routes."""
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

    @batches.operation("POST", "/batches", needs=SUBMIT, headers=[KEY], requestBody=BODY, responses=CREATED)
    def create_batch() -> Response:
        """Create a batch of tasks

        The request creates the batch and all of its tasks, or nothing. The body has up to 10,000 tasks and 32 MiB. The
        ids are in the order of the tasks. A batch has finished when it is closed and all of its tasks have finished; an
        empty one has at once.
        """
        with ExitStack() as slots:
            text = received(slots)
            key = idempotency_key_of_request()
            members, tasks = json_members(text, TASKS, settings.max_body, checked)
            if errors := checker.errors(schema, members):
                raise InvalidBatch(errors)
            then = parse(members["then"]) if members.get("then") is not None else None
            created = create(_batch_request(members, then, key), tasks or create.checked([]))
        return _created(created)

    @batches.operation(
        "POST",
        "/batches/<id>/tasks",
        needs=SUBMIT,
        parameters=[BATCH_ID],
        headers=[KEY],
        requestBody=ADDED_BODY,
        responses=ADDED,
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


def _batch_request(members: dict[str, Any], then: Item | None, key: IdempotencyKey | None) -> BatchRequest:
    return BatchRequest(
        name=members.get("name"),
        labels=members.get("labels", {}),
        is_open=members.get("open", False),
        then=then,
        callback=members.get("callback"),
        key=key,
        by=current_access(),
    )


def _created(created: CreatedBatch) -> Response:
    text = json.dumps({"id": created.id, "ids": [*created.ids], "then": created.then}, separators=(",", ":"))
    return json_response(text, 201 if created.is_new else 200)
