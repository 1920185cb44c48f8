"""Words for describing operations: parts of the OpenAPI document that many of them share."""

from collections.abc import Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema
from werkzeug.http import HTTP_STATUS_CODES

from entrypoints.http.responses.json_response import JSON

TASK_ID: dict[str, Any] = {
    "in": "path",
    "name": "id",
    "required": True,
    "description": "The id that submitting gave.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
    "example": 1,
}

RETRY_AFTER = {"description": "Seconds to wait before asking again.", "schema": {"type": "integer", "minimum": 1}}

RETRY_AFTER_HEADERS = {
    "Retry-After": RETRY_AFTER
    | {"description": "Seconds after which to ask again, where so many wait already that this request could not."}
}

UNKNOWN_TASK = {404: "No task has that id, or it has expired."}

TASK_EXAMPLE: dict[str, Any] = {
    "id": 192,
    "type": "default",
    "status": "waiting",
    "args": {"required_arg": "test"},
    "required_arg": "test",
    "result": None,
    "error": None,
    "progress": None,
    "created": 1668797946,
    "expire": 1668884346,
    "run_at": 1668797946.0,
    "started": None,
    "finished": None,
    "attempt": 0,
    "max_attempts": 1,
    "priority": 0,
    "handler": None,
    "waiting_for": "handler",
}

LOG_EXAMPLE: dict[str, Any] = {
    "id": 192,
    "attempts": [
        {
            "claim": 1,
            "attempt": 1,
            "outcome": "failed",
            "started": 1668797946.012,
            "ended": 1668797946.345,
            "error": "ValueError: the radius is negative",
            "traceback": "Traceback (most recent call last):\n  …\nValueError: the radius is negative\n",
            "log": "reading\n",
        }
    ],
}


def json_schema(schema: Schema) -> dict[str, Any]:
    """What it says, as JSON Schema."""
    converter = OpenAPIConverter("3.1.0", lambda _: None, APISpec("", "", "3.1.0"))
    return dict(converter.schema2jsonschema(schema))  # type: ignore[no-untyped-call]


def _link(operation: str, description: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {"id": "$response.body#/id"}, "description": description}


LINKS = {
    "view": _link("view_task", "Look at it again."),
    "events": _link("task_events", "See it change."),
    "log": _link("view_log", "See what it printed."),
    "cancel": _link("cancel_task", "Stop it."),
    "retry": _link("retry_task", "Start it again."),
    "delete": _link("delete_task", "Forget it."),
}
"""Where an answer that is a task leads."""


def response(code: int, description: str, schema: str, example: object = None, **more: Any) -> dict[int, Any]:
    """A success that is JSON of that schema."""
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    more |= {"links": LINKS} if schema == "Task" else {}
    shown = content if example is None else content | {"example": example}
    return {code: {"description": description, "content": {JSON: shown}, **more}}


def error_responses(codes: Mapping[int, str]) -> dict[int, Any]:
    """Errors with the reason for each. Any operation may find the database away."""
    found = (_error(code, reason) for code, reason in codes.items())
    away = _error(503, "The database is away.", headers={"Retry-After": RETRY_AFTER})
    return {code: answer for each in (*found, away) for code, answer in each.items()}


def _error(code: int, reason: str, **more: Any) -> dict[int, Any]:
    example = {"code": code, "status": HTTP_STATUS_CODES[code], "message": reason}
    return response(code, reason, "Error", example, **more)
