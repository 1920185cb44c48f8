"""How an error becomes an HTTP answer: ERROR_RESPONSES has the status code of each type of error.

The answer is always JSON: `{"code", "status", "message", "errors"}`, where `errors` is left out if it is empty.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from application.errors import (
    MAX_NAMES_LISTED,
    BatchClosed,
    BatchKeyTaken,
    CallbacksDisabled,
    Forbidden,
    InvalidApiKey,
    InvalidArguments,
    InvalidBatch,
    InvalidItems,
    InvalidLimits,
    InvalidPeriod,
    InvalidReferences,
    KeyTaken,
    KeyTakenByBatch,
    NoResult,
    StatementRefused,
    StorageUnavailable,
    TooManyTasks,
    TooManyWaiting,
    TriggerFailed,
    TypeClosed,
    Unauthenticated,
    UnknownApiKey,
    UnknownBatch,
    UnknownParents,
    UnknownTask,
    UnknownType,
    UnreadableTask,
)
from application.json.errors import NotJson, UnkeepableJson
from application.outages import message_of
from domain.errors import InvalidIdempotencyKey, InvalidLabel, InvalidOption, InvalidTransition
from entrypoints.http.requests.idempotency_key import KEY
from entrypoints.http.requests.queries import LABEL_PREFIX
from entrypoints.http.responses.json_response import json_response

Errors = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The HTTP answer to one type of error.

    - `code`: the status code.
    - `errors`: makes the sentences by part of the request, in `query`, `json` or `headers`.
    - `message`: makes the message.
    """

    code: int
    errors: Callable[[Any], Errors | None] = lambda _: None
    message: Callable[[Any], str] = str
    headers: Mapping[str, str] = field(default_factory=dict)


CALLBACKS_DISABLED = "absent, since the service has no WEBHOOK_SECRET"

ERROR_RESPONSES: Mapping[type[Exception], ErrorResponse] = MappingProxyType(
    {
        UnknownTask: ErrorResponse(404),
        UnknownType: ErrorResponse(404),
        UnknownBatch: ErrorResponse(404),
        UnknownApiKey: ErrorResponse(404),
        Unauthenticated: ErrorResponse(401, headers={"WWW-Authenticate": "Bearer"}),
        Forbidden: ErrorResponse(403),
        TooManyWaiting: ErrorResponse(429, headers={"Retry-After": "5"}),
        InvalidApiKey: ErrorResponse(422, lambda error: {"json": error.errors}),
        BatchClosed: ErrorResponse(409),
        UnknownParents: ErrorResponse(422, lambda error: {"query": {"after": _unknown_ids(error)}}),
        InvalidTransition: ErrorResponse(409),
        NoResult: ErrorResponse(424, lambda error: error.error and {"task": {error.error.type: [error.error.message]}}),
        NotJson: ErrorResponse(400, message=lambda error: f"the body is not JSON: {error}"),
        UnkeepableJson: ErrorResponse(422, lambda error: {"json": {error.path: [error.why]}}),
        InvalidArguments: ErrorResponse(422, lambda error: {"json": error.errors}),
        InvalidReferences: ErrorResponse(422, lambda error: {"json": error.errors}),
        InvalidLimits: ErrorResponse(422, lambda error: {"json": error.errors}),
        InvalidOption: ErrorResponse(422, lambda error: {"query": {error.option: [f"Must be {error.expected}."]}}),
        InvalidLabel: ErrorResponse(
            422, lambda error: {"query": {f"{LABEL_PREFIX}{error.name}": [f"Must be {error.expected}."]}}
        ),
        InvalidPeriod: ErrorResponse(422, lambda error: {"query": {error.parameter: [f"Must be {error.expected}."]}}),
        CallbacksDisabled: ErrorResponse(
            422,
            lambda _: {"query": {"callback": [f"Must be {CALLBACKS_DISABLED}."]}},
            lambda _: f"callback is given: it must be {CALLBACKS_DISABLED}",
        ),
        InvalidBatch: ErrorResponse(422, lambda error: {"json": _item_errors(error)}),
        InvalidItems: ErrorResponse(422, lambda error: {"json": _item_errors(error)}),
        InvalidIdempotencyKey: ErrorResponse(422, lambda error: {"headers": {KEY: [str(error)]}}),
        KeyTaken: ErrorResponse(422, lambda error: {"headers": {KEY: [f"It belongs to task {error.tasks[0]}."]}}),
        BatchKeyTaken: ErrorResponse(422, lambda error: {"headers": {KEY: [f"Task {error.task} of a batch has it."]}}),
        KeyTakenByBatch: ErrorResponse(
            422,
            lambda error: {"headers": {KEY: [f"Another request made batch {error.batch} with it."]}},
        ),
        TooManyTasks: ErrorResponse(422),
        UnreadableTask: ErrorResponse(503),
        # An operator opens a type again, which takes longer than an outage.
        TypeClosed: ErrorResponse(503, headers={"Retry-After": "10"}),
        StorageUnavailable: ErrorResponse(503, message=message_of, headers={"Retry-After": "1"}),
        TriggerFailed: ErrorResponse(503, headers={"Retry-After": "1"}),
        StatementRefused: ErrorResponse(503, headers={"Retry-After": "1"}),
    }
)

MESSAGES_BY_CODE: Mapping[int, str] = MappingProxyType(
    {
        404: "the API has no such path",
        405: "the path does not support the method of the request",
        500: "the service failed unexpectedly; its log has the details",
    }
)
"""Messages that replace the longer ones of werkzeug."""


def register_error_handlers(app: Flask) -> None:
    """Let the app answer the errors of ERROR_RESPONSES and all errors of werkzeug as JSON."""
    for kind, error_response in ERROR_RESPONSES.items():
        app.register_error_handler(kind, partial(_response_to, error_response))
    app.register_error_handler(HTTPException, http_error_response)


def error_response(error: Exception, errors: Errors | None = None) -> Response:
    """Answer an error of ERROR_RESPONSES, with sentences by part of the request if some are given."""
    found = ERROR_RESPONSES[type(error)]
    return _json(found.code, found.message(error), errors or found.errors(error), found.headers)


def http_error_response(error: HTTPException) -> Response:
    """Answer an error of werkzeug or webargs. The headers of the error are kept, such as `Allow`."""
    code, errors = error.code or 500, getattr(error, "data", {}).get("messages")
    message = "the query has invalid parameters" if errors else MESSAGES_BY_CODE.get(code, error.description)
    return _json(code, message, errors, {name: value for name, value in error.get_headers() if name != "Content-Type"})


def _item_errors(error: InvalidItems) -> Errors:
    """Sentences by the path of each wrong value."""
    return {path: [_sentence(reason) for reason in reasons] for path, reasons in error.errors.items()}


def _unknown_ids(error: UnknownParents) -> list[str]:
    return [str(UnknownTask(id)) for id in sorted(error.parents)[:MAX_NAMES_LISTED]]


def _sentence(reason: str | CallbacksDisabled) -> str:
    return reason if isinstance(reason, str) else f"it must be {CALLBACKS_DISABLED}"


def _response_to(error_response: ErrorResponse, error: Exception) -> Response:
    return _json(
        error_response.code, error_response.message(error), error_response.errors(error), error_response.headers
    )


def _json(code: int, message: str | None, errors: Errors | None, headers: Mapping[str, str]) -> Response:
    body = {"code": code, "status": HTTP_STATUS_CODES[code], "message": message}
    return json_response(json.dumps(body | {"errors": errors} if errors else body), code, headers)
