"""The items of a body that submits many tasks: their schema, and how each becomes a request."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from werkzeug.exceptions import UnprocessableEntity

from application.errors import InvalidReferences
from application.items import Item, UnreadableItem
from application.json.errors import UnkeepableJson
from application.json.placeholders import placeholders
from application.ports.argument_checker import ArgumentChecker
from application.submissions import TaskRequest
from domain.dependencies import IfFailed
from domain.ids import DEFAULT_TYPE, IdempotencyKey, TaskId, TypeName
from entrypoints.http.access.current import current_access
from entrypoints.http.openapi.describe import json_schema
from entrypoints.http.requests.idempotency_key import KEY_SCHEMA
from entrypoints.http.requests.parsing import MAX_ID
from entrypoints.http.requests.queries import (
    IF_FAILED,
    LABELS_DESCRIPTION,
    REFERENCES,
    TaskOptions,
    task_request_options,
)

MAX_TASKS = 10_000
MAX_BYTES = 32 * 1024 * 1024
MAX_REF_CHARACTERS = 100
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
        "ref": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_REF_CHARACTERS,
            "description": "Name of the item in this request, by which other items wait for it. It is not stored.",
        },
        "after": {
            "type": "array",
            "maxItems": MAX_TASKS,
            "items": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_ID}, {"type": "string"}]},
            "description": "The tasks for which the task waits: ids, and the `ref` of items of this request, in any "
            "order. It starts after all of them.",
        },
        "if_failed": {"type": "string", "enum": [each.value for each in IfFailed], **IF_FAILED},
        "references": {
            "type": "boolean",
            "description": f"{REFERENCES} `$result` may also be the `ref` of an item of this request.",
        },
    },
    "additionalProperties": False,
}
DEPENDENCY_MEMBERS = frozenset(("ref", "after", "if_failed", "references"))


def up_to(limit: int, items: Iterable[Any]) -> Iterator[Any]:
    """Yield the items. Raises UnprocessableEntity: there are more than `limit`."""
    for nth, item in enumerate(items):
        if nth == limit:
            raise UnprocessableEntity(f"the body has more than {limit} items")
        yield item


def item_parser(checker: ArgumentChecker) -> Callable[[Any], Item]:
    """Make the function that parses an item of the body."""
    schema = json.dumps(ITEM)

    def parse(item: Any) -> Item:
        if isinstance(item, UnkeepableJson):
            return UnreadableItem({item.path: [item.why]})
        # The schema of the type checks the members of the arguments later.
        if errors := checker.errors(schema, _with_empty_args(item)):
            return UnreadableItem(errors)
        try:
            dependencies = _dependencies(item)
        except InvalidReferences as error:
            return UnreadableItem({f"$.args{path[1:]}": sentences for path, sentences in error.errors.items()})
        return TaskRequest(
            type=TypeName(item.get("type", DEFAULT_TYPE)),
            args=item.get("args", {}),
            key=IdempotencyKey(item["idempotency_key"]) if "idempotency_key" in item else None,
            labels=item.get("labels", {}),
            **task_request_options(item),
            **dependencies,
            by=current_access(),
        )

    return parse


def _dependencies(item: Mapping[str, Any]) -> dict[str, Any]:
    """Make the keyword arguments of TaskRequest that tell for which tasks it waits. Raises InvalidReferences."""
    if DEPENDENCY_MEMBERS.isdisjoint(item):
        return {}
    return {
        "ref": item.get("ref"),
        "after": [each if isinstance(each, str) else TaskId(int(each)) for each in item.get("after", ())],
        "if_failed": IfFailed(item["if_failed"]) if "if_failed" in item else None,
        "placeholders": placeholders(item.get("args", {})) if item.get("references") else (),
    }


def _with_empty_args(item: Any) -> Any:
    has_args = isinstance(item, dict) and isinstance(item.get("args"), dict)
    return item | {"args": {}} if has_args else item
