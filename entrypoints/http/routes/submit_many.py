"""Route that submits many tasks, all or none: POST /tasks."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from flask import Response
from werkzeug.exceptions import UnprocessableEntity

from application.json.errors import UnkeepableJson
from application.ports.argument_checker import ArgumentChecker
from application.submissions import TaskRequest
from application.use_cases.submit_tasks import UnreadableItem
from domain.ids import DEFAULT_TYPE, IdempotencyKey, TypeName
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.bulkhead import Bulkhead
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.limits.reception import Receptions
from entrypoints.http.openapi.describe import CLOSED, LATE_BODY, error_responses, json_schema, response
from entrypoints.http.requests.body import body, json_items
from entrypoints.http.requests.idempotency_key import KEY_HEADER, KEY_SCHEMA, idempotency_key_of_request
from entrypoints.http.requests.queries import LABELS_DESCRIPTION, TaskOptions, task_request_options
from entrypoints.http.responses.json_response import JSON, json_response
from entrypoints.http.services import Services

MAX_TASKS = 10_000
MAX_BYTES = 32 * 1024 * 1024
MAX_BODIES_RECEIVED, MAX_BODIES_PROCESSED = 4, 1
"""Limits on the bodies that are received and processed at once, since each takes much memory and time."""
MAX_PROCESSING_WAIT_SECONDS = 5.0

LABELS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": LABELS_DESCRIPTION,
    "additionalProperties": {"type": "string"},
}
ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "minLength": 1, "default": DEFAULT_TYPE, "description": "Name of the type."},
        "args": {
            "type": "object",
            "additionalProperties": True,
            "default": {},
            "description": "Arguments of the function, by name.",
        },
        "idempotency_key": KEY_SCHEMA | {"description": "Same as the header `Idempotency-Key` of a single task."},
        "labels": LABELS_SCHEMA,
        **json_schema(TaskOptions())["properties"],
    },
    "additionalProperties": False,
}
BODY = {
    "required": True,
    "content": {
        JSON: {
            "schema": {"type": "array", "maxItems": MAX_TASKS, "items": ITEM},
            "example": [
                {"type": "default", "args": {"required_arg": "one"}},
                {
                    "args": {"required_arg": "two"},
                    "priority": 5,
                    "idempotency_key": "order-7",
                    "labels": {"user": "ana"},
                },
            ],
        }
    },
}
BATCH_KEY = KEY_HEADER | {
    "description": "A text that the client chooses, such as a UUID. A request with the key of an earlier one and the "
    "same items is answered with the ids of the earlier one. The key holds for each item that has no "
    "`idempotency_key` of its own, as long as its task exists."
}
CREATED = (
    response(200, "The tasks of an earlier request with the same idempotency key.", "Ids", {"ids": [192, 193]})
    | response(201, "All tasks were created.", "Ids", {"ids": [192, 193]})
    | error_responses(
        {
            400: "The body is not JSON.",
            408: LATE_BODY,
            413: f"The body is longer than {MAX_BYTES} bytes.",
            415: "The content type of the body is not JSON in UTF-8.",
            422: "Some tasks cannot be submitted, so no task was created; `errors` names each of them by its index. "
            "Or the idempotency key belongs to another batch.",
            503: CLOSED,
        }
    )
)


def add_submit_many(tasks: Blueprint, services: Services) -> None:
    """Add the route."""
    submit, settings = services.submit_tasks(), services.settings()
    parse = item_parser(services.checker())
    receptions = Receptions(MAX_BODIES_RECEIVED)
    processing = Bulkhead(
        MAX_BODIES_PROCESSED, "another request is submitting many tasks: try again", MAX_PROCESSING_WAIT_SECONDS
    )

    @tasks.operation("POST", "/tasks", headers=[BATCH_KEY], requestBody=BODY, responses=CREATED)
    def submit_many() -> Response:
        """Submit many tasks

        The request creates all tasks or none. The body has up to 10,000 items and 32 MiB. The ids are in the order of
        the items. An item with the `idempotency_key`, type and arguments of an existing task gets the id of that task.
        With an `Idempotency-Key` the whole request can be repeated.
        """
        with ExitStack() as slots:
            with suspended():
                text = body(slots.enter_context(receptions.place()).read, MAX_BYTES)
                slots.enter_context(processing)
            items = map(parse, up_to(MAX_TASKS, json_items(text, settings.max_body)))
            key = idempotency_key_of_request()
            submitted = submit(items, key)
        is_repeated = key and submitted.ids and not submitted.has_new
        text = f'{{"ids":{json.dumps(submitted.ids, separators=(",", ":"))}}}'
        return json_response(text, 200 if is_repeated else 201)


def up_to(limit: int, items: Iterable[Any]) -> Iterator[Any]:
    """Yield the items. Raises UnprocessableEntity: there are more than `limit`."""
    for nth, item in enumerate(items):
        if nth == limit:
            raise UnprocessableEntity(f"the body has more than {limit} items")
        yield item


def item_parser(checker: ArgumentChecker) -> Callable[[Any], TaskRequest | UnreadableItem]:
    """Make the function that parses an item of the body."""
    schema = json.dumps(ITEM)

    def parse(item: Any) -> TaskRequest | UnreadableItem:
        if isinstance(item, UnkeepableJson):
            return UnreadableItem({item.path: [item.why]})
        # The schema of the type checks the members of the arguments later.
        if errors := checker.errors(schema, _with_empty_args(item)):
            return UnreadableItem(errors)
        return TaskRequest(
            type=TypeName(item.get("type", DEFAULT_TYPE)),
            args=item.get("args", {}),
            key=IdempotencyKey(item["idempotency_key"]) if "idempotency_key" in item else None,
            labels=item.get("labels", {}),
            **task_request_options(item),
        )

    return parse


def _with_empty_args(item: Any) -> Any:
    has_args = isinstance(item, dict) and isinstance(item.get("args"), dict)
    return item | {"args": {}} if has_args else item
