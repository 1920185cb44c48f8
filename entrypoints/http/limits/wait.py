"""`?wait=`: answer when the task has finished, or after that time."""

from collections.abc import Callable
from typing import Any

from application.use_cases.await_task import Awaited
from application.view import View
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.services import Services

RETRY_AFTER_ONE_SECOND = {"Retry-After": "1"}
Wait = Callable[[View, dict[str, Any]], Awaited]


def wait_for_task(services: Services) -> Wait:
    """Makes of a view, and of the query that may ask to wait, what is answered."""
    await_task = services.await_task()

    def wait(view: View, query: dict[str, Any]) -> Awaited:
        if not query.get("wait"):
            return Awaited(view)
        with suspended():
            return await_task(view, query["wait"])

    return wait


def retry_headers(awaited: Awaited) -> dict[str, str]:
    """With the time to come again, where there was no place to wait."""
    return RETRY_AFTER_ONE_SECOND if awaited.was_turned_away else {}
