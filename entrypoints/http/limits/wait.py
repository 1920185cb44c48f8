"""The parameter `?wait=`: answer when the task has finished, or after this number of seconds.

The bounds of the number are in requests/queries.py.
"""

from collections.abc import Callable
from typing import Any

from application.use_cases.await_task import Awaited
from application.view import View
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.services import Services

RETRY_AFTER_ONE_SECOND = {"Retry-After": "1"}
Wait = Callable[[View, dict[str, Any]], Awaited]


def wait_for_task(services: Services) -> Wait:
    """Make the function that waits for a task as long as the query of the request asks for."""
    await_task = services.await_task()

    def wait(view: View, query: dict[str, Any]) -> Awaited:
        if not query.get("wait"):
            return Awaited(view)
        with suspended():
            return await_task(view, query["wait"])

    return wait


def retry_headers(awaited: Awaited) -> dict[str, str]:
    """Make the Retry-After header, if too many requests were waiting already."""
    return RETRY_AFTER_ONE_SECOND if awaited.was_turned_away else {}
