"""POST /tasks: submit many tasks, all or none."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from flask import Response
from werkzeug.exceptions import UnprocessableEntity

from application.ports.argument_checker import ArgumentChecker
from application.submissions import Request
from application.use_cases.submit_tasks import Unreadable
from domain.errors import NotKept
from domain.ids import DEFAULT_TYPE, Key, TypeName
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.bulkhead import Places
from entrypoints.http.limits.concurrency import aside
from entrypoints.http.openapi.describe import answers, fails, json_schema
from entrypoints.http.requests.body import body, json_items
from entrypoints.http.requests.idempotency_key import KEY_SCHEMA
from entrypoints.http.requests.queries import NoQuery, TaskOptions, asked
from entrypoints.http.responses.json_response import JSON, json_answer
from entrypoints.http.services import Services

MOST = 10_000
MOST_BYTES = 32 * 1024 * 1024
ARRIVING, AT_WORK = 4, 1
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
            "schema": {"type": "array", "maxItems": MOST, "items": ITEM},
            "example": [
                {"type": "default", "args": {"required_arg": "one"}},
                {"args": {"required_arg": "two"}, "priority": 5, "idempotency_key": "order-7"},
            ],
        }
    },
}
CREATED = answers(201, "They wait.", "Ids", {"ids": [192, 193]}) | fails(
    {
        400: "The body is not JSON.",
        413: f"The body has more than {MOST_BYTES} bytes.",
        415: "The body is of another content type.",
        422: "Some cannot be submitted, so none was; `errors` names each by its index.",
    }
)


def submitting_many(tasks: Blueprint, services: Services) -> None:
    """Adds the route that submits many."""
    submit, settings = services.submit_tasks(), services.settings()
    read = reader(services.checker())
    arriving, at_work = Places(ARRIVING), Places(AT_WORK, "others submit many tasks, try again", patience=5)

    @tasks.operation("POST", "/tasks", query=NoQuery(), requestBody=BODY, responses=CREATED)
    def submit_many(query: dict[str, Any]) -> Response:
        """Submit many tasks

        All of them or none, up to 10,000 and 32 MiB. The ids come in the order of the items. An item whose
        `idempotency_key` has a task already, of the same type and with the same arguments, has the id of that one.
        """
        with arriving, ExitStack() as at_its_turn:
            with aside():
                text = body(MOST_BYTES)
                at_its_turn.enter_context(at_work)
            ids = submit(map(read, up_to(MOST, json_items(text, settings.max_body))))
        return json_answer(f'{{"ids":{json.dumps(ids, separators=(",", ":"))}}}', 201)


def up_to(most: int, items: Iterable[Any]) -> Iterator[Any]:
    """The items; UnprocessableEntity at the first that is one too many."""
    for nth, item in enumerate(items):
        if nth == most:
            raise UnprocessableEntity(f"the body has more than {most} items")
        yield item


def reader(checker: ArgumentChecker) -> Callable[[Any], Request | Unreadable]:
    """Makes requests of items."""
    schema = json.dumps(ITEM)

    def read(item: Any) -> Request | Unreadable:
        if isinstance(item, NotKept):
            return Unreadable({item.path: [item.why]})
        # What the arguments hold is looked at by the schema of their type.
        if errors := checker.errors(schema, _without_members(item)):
            return Unreadable(errors)
        return Request(
            type=TypeName(item.get("type", DEFAULT_TYPE)),
            args=item.get("args", {}),
            key=Key(item["idempotency_key"]) if "idempotency_key" in item else None,
            **asked(item),
        )

    return read


def _without_members(item: Any) -> Any:
    has_args = isinstance(item, dict) and isinstance(item.get("args"), dict)
    return item | {"args": {}} if has_args else item
