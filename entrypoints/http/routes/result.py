"""Route that reads the result of a task alone: GET /task/{id}/result."""

from typing import Any

from flask import Response, request
from werkzeug.http import generate_etag

from application.errors import NoResult
from application.view import View
from domain.status import Status
from entrypoints.http.access.needs import READ
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.wait import RETRY_AFTER_ONE_SECOND, wait_for_task
from entrypoints.http.openapi.describe import RETRY_AFTER, TASK_ID, UNKNOWN_TASK, error_responses, response
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.requests.queries import ViewQuery
from entrypoints.http.responses.json_response import JSON, json_response
from entrypoints.http.services import Services

REVALIDATED = {"Cache-Control": "private, no-cache"}
"""Header of an answer that the client may keep, and uses again only after the service has confirmed it by its tag."""
NOT_MODIFIED: dict[int, Any] = {304: {"description": "The result is the one whose tag `If-None-Match` names."}}
RESULT: dict[int, Any] = {
    200: {
        "description": "The value that the function returned, as any JSON.",
        "headers": {"ETag": {"description": "Tag of the result, for `If-None-Match`.", "schema": {"type": "string"}}},
        "content": {JSON: {"schema": {"description": "Value that the function returned."}, "example": 3}},
    }
}
PENDING = response(
    202,
    "The task has not finished.",
    "Pending",
    {"id": 192, "status": "running"},
    headers={"Retry-After": RETRY_AFTER | {"description": "Seconds to wait before the next request for the result."}},
)
ERRORS = error_responses(
    {
        **UNKNOWN_TASK,
        422: "A parameter is unknown or out of bounds.",
        424: "The task failed or was cancelled, so it has no result. `errors` has the error of the task by its type.",
    }
)


def add_result(tasks: Blueprint, services: Services) -> None:
    """Add the route."""
    view, wait = services.view_task(), wait_for_task(services)

    @tasks.operation(
        "GET",
        "/task/<id>/result",
        needs=READ,
        query=ViewQuery(),
        parameters=[TASK_ID],
        responses=RESULT | PENDING | NOT_MODIFIED | ERRORS,
    )
    def view_result(query: dict[str, Any], id: str) -> Response:
        """View the result of a task

        The answer is the value that the function returned, without the task around it. A request with the `ETag` of an
        earlier answer in `If-None-Match` is answered with 304 while the result is the same.
        """
        seen = wait(view(task_id(id)), query).view
        if not seen.task.status.is_final:
            text = f'{{"id":{seen.task.id},"status":"{seen.task.status}"}}'
            return json_response(text, 202, RETRY_AFTER_ONE_SECOND)
        if seen.task.status is not Status.DONE:
            raise NoResult(seen.task)
        return _result(seen)


def _result(view: View) -> Response:
    """Answer with the result, or with 304 if the client has it."""
    response = Response(view.stored.result or "null", headers=REVALIDATED, content_type=JSON)
    # With a digest of the value: ids and versions may come again after a failover or a restore.
    response.set_etag(f"{view.task.id}-{generate_etag(response.get_data())}")
    response.make_conditional(request)
    return response
