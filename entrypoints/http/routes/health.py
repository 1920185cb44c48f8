"""Routes that monitors call: /ping, /health/live and /health/ready."""

from flask import Response

from application.coalescing import Coalesced
from entrypoints.http.access.needs import PUBLIC
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.openapi.describe import error_responses, response
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.services import Services

ONLINE = response(200, "The API is online.", "State", {"status": "online"})
LIVE = response(200, "The process is alive.", "State", {"status": "live"})
READY = response(200, "The API can serve requests.", "State", {"status": "ready"}) | error_responses({})


def add_health(health: Blueprint, services: Services) -> None:
    """Add the routes."""
    ping_storage = services.ping()
    # However many monitors ask at once, the database is asked by one of them for all.
    ping_database = Coalesced[None, object](lambda pings: [ping_storage()] * len(pings))

    @health.operation("GET", "/ping", needs=PUBLIC, responses=ONLINE)
    def ping() -> Response:
        """Check whether the API is online"""
        return json_response('{"status":"online"}')

    @health.operation("GET", "/health/live", needs=PUBLIC, responses=LIVE)
    def live() -> Response:
        """Check whether the process is alive"""
        return json_response('{"status":"live"}')

    @health.operation("GET", "/health/ready", needs=PUBLIC, responses=READY)
    def ready() -> Response:
        """Check whether the API can serve requests: whether a write to the database could succeed"""
        ping_database(None)
        return json_response('{"status":"ready"}')
