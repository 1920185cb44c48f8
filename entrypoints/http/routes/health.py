"""Whether the API is there, and whether it can work."""

from flask import Response

from entrypoints.http.blueprint import Blueprint
from entrypoints.http.openapi.describe import error_responses, response
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.services import Services

ONLINE = response(200, "It is.", "State", {"status": "online"})
LIVE = response(200, "It lives.", "State", {"status": "live"})
READY = response(200, "It can.", "State", {"status": "ready"}) | error_responses({})


def add_health(health: Blueprint, services: Services) -> None:
    """Adds the routes that machines ask."""
    ping_database = services.ping()

    @health.operation("GET", "/ping", responses=ONLINE)
    def ping() -> Response:
        """Say whether the API is online"""
        return json_response('{"status":"online"}')

    @health.operation("GET", "/health/live", responses=LIVE)
    def live() -> Response:
        """Say whether the process lives"""
        return json_response('{"status":"live"}')

    @health.operation("GET", "/health/ready", responses=READY)
    def ready() -> Response:
        """Say whether the API can work: whether the database answers"""
        ping_database()
        return json_response('{"status":"ready"}')
