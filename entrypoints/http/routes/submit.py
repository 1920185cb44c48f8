"""Routes that submit a task: POST /task/new and /task/new/{type}."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from application.json.placeholders import placeholders
from application.submissions import TaskRequest
from application.use_cases.await_task import Awaited
from domain.ids import DEFAULT_TYPE, TypeName
from entrypoints.http.access.current import current_access
from entrypoints.http.access.needs import SUBMIT
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.limits.reception import Receptions
from entrypoints.http.limits.wait import retry_headers, wait_for_task
from entrypoints.http.openapi.describe import (
    CLOSED,
    LATE_BODY,
    RETRY_AFTER_HEADERS,
    TYPE_NAME,
    UNSUPPORTED_BODY,
    error_responses,
    response,
    task_example,
)
from entrypoints.http.requests.body import body, json_object
from entrypoints.http.requests.idempotency_key import KEY_HEADER, idempotency_key_of_request
from entrypoints.http.requests.queries import SubmitQuery, dependencies_of_query, task_request_options
from entrypoints.http.responses.json_response import JSON, json_response
from entrypoints.http.services import Services
from entrypoints.task_json import task_json

BODY = {"type": "object", "additionalProperties": True, "description": "Arguments of the function, by name."}
LOCATION = {"description": "Address of the task.", "schema": {"type": "string"}, "example": "/task/192/view"}
HEADERS = {"Location": LOCATION, **RETRY_AFTER_HEADERS}
CREATED = "The new task."
REPEATED = "The task of an earlier request with the same idempotency key."
DELETED = "The task was deleted while the request waited for it."
UNKNOWN = "No handler has published this type, or the task was deleted while the request waited for it."
INVALID_REQUEST = {
    400: "The body is not JSON.",
    408: LATE_BODY,
    413: "The body is longer than the MAX_BODY of the service.",
    415: UNSUPPORTED_BODY,
    422: "The arguments do not match the schema of the type or cannot be stored exactly, an option is unknown or out "
    "of bounds, a task in `after` or in a reference does not exist, or the idempotency key belongs to a task with "
    "another type or other arguments.",
    503: CLOSED,
}


def add_submit(tasks: Blueprint, services: Services) -> None:
    """Add the routes."""
    submit, settings, wait = services.submit_task(), services.settings(), wait_for_task(services)
    receptions = Receptions(settings.http_threads * 3 // 4)

    def submit_body(type: TypeName, query: dict[str, Any]) -> Response:
        with suspended(), receptions.place() as reception:
            text = body(reception.read, settings.max_body, empty="{}")
        args = json_object(text)
        request = TaskRequest(
            type=type,
            args=args,
            key=idempotency_key_of_request(),
            labels=query.get("label", {}),
            **task_request_options(query),
            **dependencies_of_query(query),
            placeholders=placeholders(args, takes_names=False) if query.get("references") else (),
            by=current_access(),
        )
        task = submit(request)
        return _task_response(wait(task.view, query), 201 if task.is_new else 200, settings.backend_url or "")

    @tasks.operation("POST", "/task/new", needs=SUBMIT, **_docs(DEFAULT_TYPE, {"required_arg": "test"}, {404: DELETED}))
    def submit_default(query: dict[str, Any]) -> Response:
        """Submit a task of type default

        The body is a JSON object with the arguments of the function. An empty body is an empty object.
        """
        return submit_body(DEFAULT_TYPE, query)

    @tasks.operation(
        "POST", "/task/new/<type>", needs=SUBMIT, **_docs("add", {"a": 1, "b": 2}, {404: UNKNOWN}, TYPE_NAME)
    )
    def submit_named(query: dict[str, Any], type: str) -> Response:
        """Submit a task

        The body is a JSON object with the arguments of the function. An empty body is an empty object.
        """
        return submit_body(TypeName(type), query)


def _task_response(awaited: Awaited, code: int, base: str) -> Response:
    # Without a public address the path alone is sent, which is valid for every address of the API.
    location = {"Location": f"{base}/task/{awaited.view.task.id}/view"}
    return json_response(task_json(awaited.view), code, location | retry_headers(awaited))


def _docs(type: str, args: dict[str, Any], errors: Mapping[int, str], *parameters: dict[str, Any]) -> dict[str, Any]:
    """Describe the request and the responses, with a task of this type and these arguments as the example."""
    task = task_example(type, args)
    created = response(201, CREATED, "Task", task, headers=HEADERS)
    repeated = response(200, REPEATED, "Task", task, headers=HEADERS)
    return {
        "query": SubmitQuery(),
        "parameters": [*parameters, KEY_HEADER],
        "requestBody": {"required": False, "content": {JSON: {"schema": BODY, "example": args}}},
        "responses": created | repeated | error_responses({**INVALID_REQUEST, **errors}),
    }
