"""POST /tasks/cancel and /tasks/retry: change many tasks."""

from collections.abc import Callable
from typing import Any

from flask import Response

from application.use_cases.change_tasks import ALL, Changed, Request
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.bulkhead import Places
from entrypoints.http.openapi.describe import answers, fails
from entrypoints.http.requests.filters import CancelQuery, RetryQuery, asked_for, cursor, place
from entrypoints.http.responses.json_response import json_answer
from entrypoints.http.services import Services

EXAMPLE = {"count": 1200, "next": None}
WRONG = {422: "A parameter is not known or out of bounds, or the status is none that this takes."}
CANCELLED = answers(200, "How many were cancelled.", "Changed", EXAMPLE) | fails(WRONG)
RETRIED = answers(200, "How many wait again.", "Changed", EXAMPLE) | fails(WRONG)


def acting(tasks: Blueprint, services: Services) -> None:
    """Adds the routes that change many."""
    cancel, retry = services.cancel_tasks(), services.retry_tasks()
    places = Places(1, "another request changes many tasks, try again")

    def changed(change: Callable[[Request], Changed], query: dict[str, Any]) -> Response:
        with places:
            done = change(Request(filter=asked_for(query), before=place(query), limit=query.get("limit", ALL)))
        return json_answer(f'{{"count":{done.count},"next":{cursor(done.next)}}}')

    @tasks.operation("POST", "/tasks/cancel", query=CancelQuery(), responses=CANCELLED)
    def cancel_tasks(query: dict[str, Any]) -> Response:
        """Cancel many tasks

        Those that wait or run and of which all holds that the query asks for; without a query, all. Newest first and in
        batches, for 10 seconds at most: what is left then is reached by the same request with `next` as its `cursor`.
        So is what could not be reached because somebody had it locked, or the database went away. One request of this
        kind at a time: another is answered 503.
        """
        return changed(cancel, query)

    @tasks.operation("POST", "/tasks/retry", query=RetryQuery(), responses=RETRIED)
    def retry_tasks(query: dict[str, Any]) -> Response:
        """Retry many tasks

        Those that failed or were cancelled and of which all holds that the query asks for; without a query, all. Each
        waits again under its id, allowed as many attempts more as its type has. In batches, as for cancelling.
        """
        return changed(retry, query)
