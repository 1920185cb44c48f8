"""Cancel, retry and delete a task."""

from flask import Response

from entrypoints.http.blueprint import Blueprint
from entrypoints.http.openapi.describe import TASK_EXAMPLE, TASK_ID, UNKNOWN_TASK, error_responses, response
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.responses.json_response import json_response, no_content
from entrypoints.http.services import Services
from entrypoints.task_json import task_json

CANCELLED = response(
    200, "The task, cancelled.", "Task", TASK_EXAMPLE | {"status": "cancelled", "waiting_for": None}
) | error_responses({**UNKNOWN_TASK, 409: "It is done or failed."})
RETRIED = response(200, "The task, which waits again.", "Task", TASK_EXAMPLE) | error_responses(
    {**UNKNOWN_TASK, 409: "It has neither failed nor been cancelled."}
)
DELETED = {204: {"description": "It is gone."}} | error_responses({**UNKNOWN_TASK, 409: "It runs."})


def add_change(tasks: Blueprint, services: Services) -> None:
    """Adds the routes that change a task which is there."""
    cancel, retry, delete = services.cancel_task(), services.retry_task(), services.delete_task()

    @tasks.operation("POST", "/task/<id>/cancel", parameters=[TASK_ID], responses=CANCELLED)
    def cancel_task(id: str) -> Response:
        """Cancel a task

        It does not start any more, and what runs is ended. Cancelling twice is no error.
        """
        return json_response(task_json(cancel(task_id(id))))

    @tasks.operation("POST", "/task/<id>/retry", parameters=[TASK_ID], responses=RETRIED)
    def retry_task(id: str) -> Response:
        """Retry a task that failed or was cancelled

        It waits again under its id, allowed as many attempts more as its type has.
        """
        return json_response(task_json(retry(task_id(id))))

    @tasks.operation("DELETE", "/task/<task:id>", parameters=[TASK_ID], responses=DELETED)
    def delete_task(id: str) -> Response:
        """Delete a task, with all that is kept of it"""
        delete(task_id(id))
        return no_content()
