"""POST /task/new: submit a task."""

from typing import Any

from flask import Response

from application.use_cases.submit_task import Request
from application.view import View
from domain.ids import DEFAULT_TYPE, TypeName
from domain.options import OPTION_NAMES
from entrypoints.http.answers import JSON, json_answer
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.body import json_object
from entrypoints.http.describing import TASK_EXAMPLE, answers, fails
from entrypoints.http.places import Places
from entrypoints.http.queries import SubmitQuery, moment
from entrypoints.http.services import Services
from entrypoints.http.task_json import task_json

BODY = {"type": "object", "additionalProperties": True, "description": "The arguments by name."}
LOCATION = {"description": "Where to view the task.", "schema": {"type": "string"}, "example": "/task/192/view"}
CREATED = answers(201, "The task, which waits.", "Task", TASK_EXAMPLE, headers={"Location": LOCATION})
REFUSED = {
    400: "The body is not JSON.",
    413: "The body is too large.",
    415: "The body is of another content type.",
    422: "Arguments that do not fit the type or cannot be kept, or options that are not known or out of bounds.",
}
TYPE = {
    "in": "path",
    "name": "type",
    "required": True,
    "description": "The name of the function. `GET /types` says which there are.",
    "schema": {"type": "string", "minLength": 1},
}


def submitting(tasks: Blueprint, services: Services) -> None:
    """Adds the routes that submit."""
    submit, settings = services.submit_task(), services.settings()
    places = Places(settings.http_threads)

    def submitted(type: TypeName, query: dict[str, Any]) -> Response:
        with places.taken():
            args = json_object(settings.max_body)
        return _created(submit(_request(type, args, query)), settings.backend_url or "")

    @tasks.operation(
        "POST",
        "/task/new",
        query=SubmitQuery(),
        requestBody=_body({"required_arg": "test"}),
        responses=CREATED | fails(REFUSED),
    )
    def submit_default(query: dict[str, Any]) -> Response:
        """Submit a task of the type default

        The body is its arguments.
        """
        return submitted(DEFAULT_TYPE, query)

    @tasks.operation(
        "POST",
        "/task/new/<type>",
        query=SubmitQuery(),
        parameters=[TYPE],
        requestBody=_body({"a": 1, "b": 2}),
        responses=CREATED | fails({404: "Nobody has published that type.", **REFUSED}),
    )
    def submit_named(query: dict[str, Any], type: str) -> Response:
        """Submit a task of a named type

        The body is the arguments of the function.
        """
        return submitted(TypeName(type), query)


def _request(type: TypeName, args: dict[str, Any], query: dict[str, Any]) -> Request:
    return Request(
        type=type,
        args=args,
        delay=query.get("delay"),
        run_at=moment(query["run_at"]) if "run_at" in query else None,
        ttl=query.get("ttl"),
        options={name: query[name] for name in OPTION_NAMES if name in query},
    )


def _created(view: View, base: str) -> Response:
    # Without a public address the path alone: it holds for whatever address the request was sent to.
    return json_answer(task_json(view), 201, {"Location": f"{base}/task/{view.task.id}/view"})


def _body(example: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {JSON: {"schema": BODY, "example": example}}}
