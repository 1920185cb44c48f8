"""Route of a monitor: GET /metrics."""

from flask import Response, current_app

from entrypoints.http.access.needs import MONITOR
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.responses.counting import counted_requests
from entrypoints.http.responses.json_response import NO_STORE
from entrypoints.http.services import Services
from entrypoints.metrics.exposition import CONTENT_TYPE
from entrypoints.metrics.samples import of_requests

EXAMPLE = 'flask_tasks_tasks{status="waiting",type="add"} 3.0\nflask_tasks_database_up 1.0\n'
EXPORTED = {
    200: {
        "description": "The metrics, in the text format of Prometheus.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}


def add_metrics(health: Blueprint, services: Services) -> None:
    """Add the route."""
    export, counts = services.exporter(), services.request_counts()

    @health.operation("GET", "/metrics", needs=MONITOR, responses=EXPORTED)
    def metrics() -> Response:
        """Export metrics for Prometheus

        While the database is away, `flask_tasks_database_up` is 0, and what only the database knows is left out.
        """
        text = export(of_requests(counted_requests(current_app, counts)))
        return Response(text, headers=NO_STORE, content_type=CONTENT_TYPE)
