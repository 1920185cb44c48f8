"""Route that lists the processes behind the API: GET /handlers."""

from flask import Response

from entrypoints.handlers_json import handlers_json
from entrypoints.http.access.needs import READ_ALL
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.openapi.describe import error_responses, response
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.services import Services

EXAMPLE = {
    "handlers": [
        {
            "id": "worker-1-4211-9c3f01ab",
            "state": "live",
            "host": "worker-1",
            "pid": 4211,
            "started": 1668797001.5,
            "last_seen": 1668797940.25,
            "concurrency": 4,
            "idle": 3,
            "types": ["add", "mov3d"],
            "running": [
                {
                    "id": 192,
                    "type": "mov3d",
                    "started": 1668797946.012,
                    "progress": {"value": 0.4, "message": "integrating"},
                }
            ],
            "running_count": 1,
            "claimed_count": 0,
        }
    ],
    "janitors": [
        {
            "id": "worker-1-4212-11d0b7e2",
            "state": "live",
            "host": "worker-1",
            "pid": 4212,
            "started": 1668797001.75,
            "last_seen": 1668797945.5,
        }
    ],
}
LISTED = response(200, "The handlers and the janitors.", "Processes", EXAMPLE) | error_responses({})


def add_handlers(handlers: Blueprint, services: Services) -> None:
    """Add the route."""
    list_all = services.list_handlers()

    @handlers.operation("GET", "/handlers", needs=READ_ALL, responses=LISTED)
    def list_handlers() -> Response:
        """List the handlers and the janitors

        Each handler has the tasks that it runs. Those that live come first. A process that ends in order is listed no
        more; one that falls silent is listed for a day, or until it is one of more than a hundred.
        """
        return json_response(handlers_json(list_all()))
