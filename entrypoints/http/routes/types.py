"""Route that lists the types of tasks: GET /types."""

from flask import Response

from entrypoints.http.access.needs import ANY_KEY
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.openapi.describe import error_responses, response
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.services import Services
from entrypoints.types_json import type_json

LISTED = response(200, "All known types.", "Types") | error_responses({})


def add_types(types: Blueprint, services: Services) -> None:
    """Add the route."""
    known_types, find_oldest_due = services.known_types(), services.find_oldest_due()

    @types.operation("GET", "/types", needs=ANY_KEY, responses=LISTED)
    def list_types() -> Response:
        """List the types of tasks

        Each type has the JSON Schemas of its arguments and results, the default options of its tasks, its schedule and
        its limits. A type that no live handler has is listed until it is forgotten.
        """
        known, due = known_types.all(), find_oldest_due()
        listed = (type_json(each, due.get(name)) for name, each in known.items())
        return json_response(f'{{"types":[{",".join(listed)}]}}')
