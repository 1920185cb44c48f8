"""What goes wrong becomes an HTTP answer by one table, and always JSON: `{"code", "status", "message", "errors"}`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from application.errors import InvalidArguments, InvalidItems, KeyTaken, StorageUnavailable, UnknownTask, UnknownType
from domain.errors import InvalidIdempotencyKey, InvalidOption, InvalidTransition, NotKept
from domain.json_text import NotJson
from entrypoints.http.requests.idempotency_key import KEY
from entrypoints.http.responses.json_response import json_response

Errors = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """How an error is answered; `errors` says which places of the request are wrong, in its query or its body."""

    code: int
    errors: Callable[[Any], Errors | None] = lambda _: None
    message: Callable[[Any], str] = str
    headers: Mapping[str, str] = field(default_factory=dict)


RESPONSES: Mapping[type[Exception], ErrorResponse] = MappingProxyType(
    {
        UnknownTask: ErrorResponse(404),
        UnknownType: ErrorResponse(404),
        InvalidTransition: ErrorResponse(409),
        NotJson: ErrorResponse(400, message=lambda error: f"the body is not JSON: {error}"),
        NotKept: ErrorResponse(422, lambda error: {"json": {error.path: [error.why]}}),
        InvalidArguments: ErrorResponse(422, lambda error: {"json": error.errors}),
        InvalidOption: ErrorResponse(422, lambda error: {"query": {error.option: [f"It must be {error.expected}."]}}),
        InvalidItems: ErrorResponse(422, lambda error: {"json": error.errors}),
        InvalidIdempotencyKey: ErrorResponse(422, lambda error: {"headers": {KEY: [str(error)]}}),
        KeyTaken: ErrorResponse(422, lambda error: {"headers": {KEY: [f"It belongs to task {error.tasks[0]}."]}}),
        StorageUnavailable: ErrorResponse(503, headers={"Retry-After": "1"}),
    }
)

MESSAGES: Mapping[int, str] = MappingProxyType(
    {
        404: "the API has no such path",
        405: "the path does not support the method of the request",
        500: "the service failed unexpectedly; its log has the details",
    }
)
"""For what werkzeug says at more length."""


def register_error_handlers(app: Flask) -> None:
    """From now on the app answers these, and all that werkzeug raises, in that form."""
    for kind, answer in RESPONSES.items():
        app.register_error_handler(kind, partial(_error_response, answer))
    app.register_error_handler(HTTPException, http_error_response)


def http_error_response(error: HTTPException) -> Response:
    """The answer to what werkzeug or webargs raised. The headers that come with it stay, such as `Allow`."""
    code, wrong = error.code or 500, getattr(error, "data", {}).get("messages")
    message = "the query has invalid parameters" if wrong else MESSAGES.get(code, error.description)
    return _json(code, message, wrong, {name: value for name, value in error.get_headers() if name != "Content-Type"})


def _error_response(answer: ErrorResponse, error: Exception) -> Response:
    return _json(answer.code, answer.message(error), answer.errors(error), answer.headers)


def _json(code: int, message: str | None, errors: Errors | None, headers: Mapping[str, str]) -> Response:
    body = {"code": code, "status": HTTP_STATUS_CODES[code], "message": message}
    return json_response(json.dumps(body | {"errors": errors} if errors else body), code, headers)
