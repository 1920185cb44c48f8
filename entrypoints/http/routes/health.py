"""Routes that monitors call: /ping, /health/live and /health/ready."""

import json
from typing import Any

from flask import Response
from marshmallow.validate import Range

from application.coalescing import Coalesced
from application.diagnosis.work import check_work
from application.errors import StorageUnavailable
from application.outages import finding_of, outage_of
from entrypoints.http.access.current import current_access
from entrypoints.http.access.needs import PUBLIC, PUBLIC_IN_PART, READ_ALL
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.openapi.describe import error_responses, response
from entrypoints.http.requests.parsing import WholeNumber
from entrypoints.http.requests.queries import StrictSchema
from entrypoints.http.responses.errors import error_response
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.services import Services

ONLINE = response(200, "The API is online.", "State", {"status": "online"})
LIVE = response(200, "The process is alive.", "State", {"status": "live"})
READY = response(200, "The API can serve requests.", "Readiness", {"status": "ready"}) | error_responses({})


class ReadyQuery(StrictSchema):
    """The query of the check."""

    verbose = WholeNumber(
        validate=Range(0, 1), metadata={"description": "With 1 the answer says what is wrong, and what mends it."}
    )


def add_health(health: Blueprint, services: Services) -> None:
    """Add the routes."""
    ping_storage, view_situation = services.ping(), services.view_situation()
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

    @health.operation("GET", "/health/ready", needs=PUBLIC_IN_PART, query=ReadyQuery(), responses=READY)
    def ready(query: dict[str, Any]) -> Response:
        """Check whether the API can serve requests

        It can if a write to the database could succeed. With `verbose=1` the answer says what is wrong, and what mends
        it: in `errors` of an answer 503, or else in `problems`, to a sender who may read all tasks.
        """
        if not query.get("verbose"):
            ping_database(None)
            return json_response('{"status":"ready"}')
        try:
            ping_database(None)
        except StorageUnavailable as error:
            found = finding_of(error)
            return error_response(StorageUnavailable(outage_of(error)), {"database": {found.found: [found.cure]}})
        problems = check_work(view_situation()).findings if READ_ALL.is_met_by(current_access()) else ()
        shown = [{"problem": each.found, "cure": each.cure} for each in problems]
        return json_response(json.dumps({"status": "ready", "problems": shown}, ensure_ascii=False))
