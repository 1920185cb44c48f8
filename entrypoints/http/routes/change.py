"""Routes that change one task: cancel, retry and delete."""

from flask import Response

from entrypoints.http.access.needs import MANAGE
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.openapi.describe import TASK_EXAMPLE, TASK_ID, UNKNOWN_TASK, error_responses, response
from entrypoints.http.requests.parsing import task_id
from entrypoints.http.responses.json_response import json_response, no_content
from entrypoints.http.services import Services
from entrypoints.task_json import task_json

CANCELLED = response(
    200, "The cancelled task.", "Task", TASK_EXAMPLE | {"status": "cancelled", "waiting_for": None}
) | error_responses({**UNKNOWN_TASK, 409: "The task is done or failed."})
RETRIED = response(200, "The task, waiting again.", "Task", TASK_EXAMPLE) | error_responses(
    {**UNKNOWN_TASK, 409: "The task is neither failed nor cancelled."}
)
DELETED = {204: {"description": "The task was deleted."}} | error_responses(
    {**UNKNOWN_TASK, 409: "The task is running."}
)


def add_change(tasks: Blueprint, services: Services) -> None:
    """Add the routes."""
    cancel, retry, delete = services.cancel_task(), services.retry_task(), services.delete_task()

    @tasks.operation("POST", "/task/<id>/cancel", needs=MANAGE, parameters=[TASK_ID], responses=CANCELLED)
    def cancel_task(id: str) -> Response:
        """Cancel a task

        A waiting task does not start any more, and a running task is ended. A task that is cancelled already is
        returned unchanged.
        """
        return json_response(task_json(cancel(task_id(id))))

    @tasks.operation("POST", "/task/<id>/retry", needs=MANAGE, parameters=[TASK_ID], responses=RETRIED)
    def retry_task(id: str) -> Response:
        """Retry a failed or cancelled task

        The task waits again under the same id, with as many new attempts as the `max_attempts` of its type.
        """
        return json_response(task_json(retry(task_id(id))))

    @tasks.operation("DELETE", "/task/<task:id>", needs=MANAGE, parameters=[TASK_ID], responses=DELETED)
    def delete_task(id: str) -> Response:
        """Delete a task with its result and its log"""
        delete(task_id(id))
        return no_content()
