"""POST /tasks: submit many tasks, all or none."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from flask import Response
from werkzeug.exceptions import UnprocessableEntity

from application.ports.argument_checker import ArgumentChecker
from application.submissions import TaskRequest
from application.use_cases.submit_tasks import UnreadableItem
from domain.errors import NotKept
from domain.ids import DEFAULT_TYPE, IdempotencyKey, TypeName
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.bulkhead import Bulkhead
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.openapi.describe import error_responses, json_schema, response
from entrypoints.http.requests.body import body, json_items
from entrypoints.http.requests.idempotency_key import KEY_SCHEMA
from entrypoints.http.requests.queries import NoQuery, TaskOptions, task_request
from entrypoints.http.responses.json_response import JSON, json_response
from entrypoints.http.services import Services

MAX_TASKS = 10_000
MAX_BYTES = 32 * 1024 * 1024
MAX_ARRIVING, MAX_WORKED_ON = 4, 1
"""At once: each takes memory and time that many small requests would share."""

ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "minLength": 1, "default": DEFAULT_TYPE, "description": "The name of the function."},
        "args": {"type": "object", "default": {}, "description": "Its arguments by name."},
        "idempotency_key": KEY_SCHEMA | {"description": "As the header `Idempotency-Key` of a single task."},
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
                {"args": {"required_arg": "two"}, "priority": 5, "idempotency_key": "order-7"},
            ],
        }
    },
}
CREATED = response(201, "They wait.", "Ids", {"ids": [192, 193]}) | error_responses(
    {
        400: "The body is not JSON.",
        413: f"The body has more than {MAX_BYTES} bytes.",
        415: "The body is of another content type.",
        422: "Some cannot be submitted, so none was; `errors` names each by its index.",
    }
)


def add_submit_many(tasks: Blueprint, services: Services) -> None:
    """Adds the route that submits many."""
    submit, settings = services.submit_tasks(), services.settings()
    read = reader(services.checker())
    arriving, at_work = (
        Bulkhead(MAX_ARRIVING),
        Bulkhead(MAX_WORKED_ON, "another request is submitting many tasks: try again", patience=5),
    )

    @tasks.operation("POST", "/tasks", query=NoQuery(), requestBody=BODY, responses=CREATED)
    def submit_many(query: dict[str, Any]) -> Response:
        """Submit many tasks

        All of them or none, up to 10,000 and 32 MiB. The ids come in the order of the items. An item whose
        `idempotency_key` has a task already, of the same type and with the same arguments, has the id of that one.
        """
        with arriving, ExitStack() as at_its_turn:
            with suspended():
                text = body(MAX_BYTES)
                at_its_turn.enter_context(at_work)
            ids = submit(map(read, up_to(MAX_TASKS, json_items(text, settings.max_body))))
        return json_response(f'{{"ids":{json.dumps(ids, separators=(",", ":"))}}}', 201)


def up_to(most: int, items: Iterable[Any]) -> Iterator[Any]:
    """The items; UnprocessableEntity at the first that is one too many."""
    for nth, item in enumerate(items):
        if nth == most:
            raise UnprocessableEntity(f"the body has more than {most} items")
        yield item


def reader(checker: ArgumentChecker) -> Callable[[Any], TaskRequest | UnreadableItem]:
    """Makes requests of items."""
    schema = json.dumps(ITEM)

    def read(item: Any) -> TaskRequest | UnreadableItem:
        if isinstance(item, NotKept):
            return UnreadableItem({item.path: [item.why]})
        # What the arguments hold is looked at by the schema of their type.
        if errors := checker.errors(schema, _without_members(item)):
            return UnreadableItem(errors)
        return TaskRequest(
            type=TypeName(item.get("type", DEFAULT_TYPE)),
            args=item.get("args", {}),
            key=IdempotencyKey(item["idempotency_key"]) if "idempotency_key" in item else None,
            **task_request(item),
        )

    return read


def _without_members(item: Any) -> Any:
    has_args = isinstance(item, dict) and isinstance(item.get("args"), dict)
    return item | {"args": {}} if has_args else item
