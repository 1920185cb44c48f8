"""POST /task/new: submit a task."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Response

from application.submissions import TaskRequest
from application.use_cases.await_task import Awaited
from domain.ids import DEFAULT_TYPE, TypeName
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.bulkhead import Bulkhead
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.limits.wait import retry_headers, wait_for_task
from entrypoints.http.openapi.describe import RETRY_AFTER_HEADERS, TASK_EXAMPLE, error_responses, response
from entrypoints.http.requests.body import body, json_object
from entrypoints.http.requests.idempotency_key import KEY_HEADER, idempotency_key_of_request
from entrypoints.http.requests.queries import SubmitQuery, task_request
from entrypoints.http.responses.json_response import JSON, json_response
from entrypoints.http.services import Services
from entrypoints.task_json import task_json

BODY = {"type": "object", "additionalProperties": True, "description": "The arguments by name."}
LOCATION = {"description": "Where to view the task.", "schema": {"type": "string"}, "example": "/task/192/view"}
HEADERS = {"Location": LOCATION, **RETRY_AFTER_HEADERS}
SUBMITTED = response(201, "The task, which waits.", "Task", TASK_EXAMPLE, headers=HEADERS) | response(
    200, "The task that was submitted before with this key.", "Task", TASK_EXAMPLE, headers=HEADERS
)
UNKNOWN_TYPE = {404: "Nobody has published that type."}
REFUSED = {
    400: "The body is not JSON.",
    413: "The body is too large.",
    415: "The body is of another content type.",
    422: "Arguments that do not fit the type or cannot be kept, options that are not known or out of bounds, or a key "
    "that a task with another type or other arguments has.",
}
TYPE = {
    "in": "path",
    "name": "type",
    "required": True,
    "description": "The name of the function. `GET /types` says which there are.",
    "schema": {"type": "string", "minLength": 1},
}


def add_submit(tasks: Blueprint, services: Services) -> None:
    """Adds the routes that submit."""
    submit, settings, wait = services.submit_task(), services.settings(), wait_for_task(services)
    bulkhead = Bulkhead(settings.http_threads * 3 // 4)

    def submitted(type: TypeName, query: dict[str, Any]) -> Response:
        with suspended(), bulkhead:
            text = body(settings.max_body)
        wanted = TaskRequest(type=type, args=json_object(text), key=idempotency_key_of_request(), **task_request(query))
        task = submit(wanted)
        return _answer(wait(task.view, query), 201 if task.is_new else 200, settings.backend_url or "")

    @tasks.operation("POST", "/task/new", **_takes({"required_arg": "test"}), **_answers())
    def submit_default(query: dict[str, Any]) -> Response:
        """Submit a task of the type default

        The body is its arguments.
        """
        return submitted(DEFAULT_TYPE, query)

    @tasks.operation("POST", "/task/new/<type>", **_takes({"a": 1, "b": 2}, TYPE), **_answers(UNKNOWN_TYPE))
    def submit_named(query: dict[str, Any], type: str) -> Response:
        """Submit a task of a named type

        The body is the arguments of the function.
        """
        return submitted(TypeName(type), query)


def _answer(awaited: Awaited, code: int, base: str) -> Response:
    # Without a public address the path alone: it holds for whatever address the request was sent to.
    location = {"Location": f"{base}/task/{awaited.view.task.id}/view"}
    return json_response(task_json(awaited.view), code, location | retry_headers(awaited))


def _takes(example: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "query": SubmitQuery(),
        "parameters": [*parameters, KEY_HEADER],
        "requestBody": {"required": True, "content": {JSON: {"schema": BODY, "example": example}}},
    }


def _answers(more: Mapping[int, str] = MappingProxyType({})) -> dict[str, Any]:
    return {"responses": SUBMITTED | error_responses({**more, **REFUSED})}
