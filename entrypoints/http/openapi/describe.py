"""Parts of the OpenAPI document that many operations share: parameters, examples, links and responses."""

from collections.abc import Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema
from werkzeug.http import HTTP_STATUS_CODES

from entrypoints.http.access.needs import Need
from entrypoints.http.requests.origin import SAFE_METHODS
from entrypoints.http.responses.json_response import JSON
from entrypoints.task_json import FIELDS

TASK_ID: dict[str, Any] = {
    "in": "path",
    "name": "id",
    "required": True,
    "description": "The id of the task, from the answer to its submission.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
    "example": 1,
}

BATCH_ID: dict[str, Any] = TASK_ID | {
    "description": "The id of the batch, from the answer to its creation.",
    "example": 7,
}

TYPE_NAME: dict[str, Any] = {
    "in": "path",
    "name": "type",
    "required": True,
    "description": "Name of the type. `GET /types` lists all types.",
    "schema": {"type": "string", "minLength": 1},
}

RETRY_AFTER = {
    "description": "Seconds to wait before the request is repeated.",
    "schema": {"type": "integer", "minimum": 1},
}

RETRY_AFTER_HEADERS = {
    "Retry-After": RETRY_AFTER
    | {
        "description": "Seconds to wait before the next request for the task. Present only if too many requests are "
        "waiting already, so that this one was answered at once."
    }
}

NO_KEY = "The API is not open, and the request has no valid API key."
TOO_MANY = "The API key allows no more requests or waiting tasks for now, or too many wrong keys were shown."
UNAVAILABLE = "The database is unavailable."
CLOSED = "The database is unavailable, or the type accepts no tasks for now."
LATE_BODY = "The body came too slowly."
UNSUPPORTED_BODY = (
    "The content type of the body is not JSON in UTF-8, or its content encoding is neither gzip nor zstd."
)
UNKNOWN_TASK = {404: "No task has this id, or the task has expired."}
UNKNOWN_BATCH = {404: "No batch has this id, or the batch has expired."}


def task_example(type: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Make an example of a task that waits."""
    head = {"id": 192, "type": type, "status": "waiting", "args": args}
    arguments = {name: value for name, value in args.items() if name not in FIELDS}
    tail = {
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
    return {**head, **arguments, **tail}


def done_example(result: Any) -> dict[str, Any]:
    """Make the fields in which an example of a task that is done differs from one that waits."""
    times = {"started": 1668797946.012, "finished": 1668797946.345}
    return {"status": "done", "result": result, **times, "attempt": 1, "waiting_for": None}


TASK_EXAMPLE = task_example("default", {"required_arg": "test"})

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
    """Convert a marshmallow schema to JSON Schema."""
    converter = OpenAPIConverter("3.1.0", lambda _: None, APISpec("", "", "3.1.0"))
    return dict(converter.schema2jsonschema(schema))  # type: ignore[no-untyped-call]


def _link(operation: str, description: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {"id": "$response.body#/id"}, "description": description}


LINKS = {
    "view": _link("view_task", "View the task."),
    "result": _link("view_result", "View the result of the task."),
    "events": _link("task_events", "Follow the changes of the task."),
    "log": _link("view_log", "View the log of the task."),
    "cancel": _link("cancel_task", "Cancel the task."),
    "retry": _link("retry_task", "Retry the task."),
    "delete": _link("delete_task", "Delete the task."),
}
"""Operations that a client can call with the id of a task in an answer."""


def response(code: int, description: str, schema: str, example: object = None, **more: Any) -> dict[int, Any]:
    """Describe a successful response with a JSON body of a named schema."""
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    more |= {"links": LINKS} if schema == "Task" else {}
    content |= {} if example is None else {"example": example}
    return {code: {"description": description, "content": {JSON: content}, **more}}


def error_responses(codes: Mapping[int, str]) -> dict[int, Any]:
    """Describe error responses by code and reason. Every operation may answer 503."""
    responses = (_error_response(code, reason) for code, reason in {**codes, 503: codes.get(503, UNAVAILABLE)}.items())
    return {code: description for each in responses for code, description in each.items()}


def common_responses(method: str, needs: Need) -> dict[int, Any]:
    """Describe the errors that every operation of the method with these needs may answer."""
    errors = {
        421: "The API serves its own machine alone, and the Host is another.",
        422: "The query has a parameter that the operation does not have.",
    }
    if not needs.is_public:
        errors |= {401: NO_KEY, 403: "The API key does not allow this.", 429: TOO_MANY}
    if method not in SAFE_METHODS:
        errors[403] = "The API key does not allow this, or the request comes from a page of a foreign origin."
    return error_responses(errors)


def _error_response(code: int, reason: str) -> dict[int, Any]:
    more = {"headers": {"Retry-After": RETRY_AFTER}} if code in (429, 503) else {}
    example = {"code": code, "status": HTTP_STATUS_CODES[code], "message": reason}
    return response(code, reason, "Error", example, **more)
