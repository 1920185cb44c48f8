"""Route that lists the types of tasks: GET /types."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Response

from application.ports.published_types import PublishedType
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.openapi.describe import error_responses, response
from entrypoints.http.responses.json_response import json_response
from entrypoints.http.services import Services
from entrypoints.task_json import milliseconds

LISTED = response(200, "All known types.", "Types") | error_responses({})


def add_types(types: Blueprint, services: Services) -> None:
    """Add the route."""
    known_types, find_oldest_due = services.known_types(), services.find_oldest_due()

    @types.operation("GET", "/types", responses=LISTED)
    def list_types() -> Response:
        """List the types of tasks

        Each type has the JSON Schema of its arguments, the default options of its tasks, and its schedule. A type that
        no live handler has is listed until it is forgotten.
        """
        known, due = known_types.all(), find_oldest_due()
        listed = (_type_json(each, due.get(name)) for name, each in known.items())
        return json_response(f'{{"types":[{",".join(listed)}]}}')


def _type_json(published: PublishedType, oldest_due: datetime | None) -> str:
    type = published.type
    state = {"live": published.live, "abandoned": published.abandoned}
    head = {"name": type.name, "description": type.description, **state}
    tail = {"defaults": asdict(type.options), "schedule": _schedule(published)}
    middle = f'"oldest_due":{milliseconds(oldest_due)},"schema":{type.schema}'
    return f"{json.dumps(head)[:-1]},{middle},{json.dumps(tail)[1:]}"


def _schedule(published: PublishedType) -> dict[str, Any] | None:
    if published.type.schedule is None:
        return None
    next = published.next and int(published.next.timestamp())
    return asdict(published.type.schedule) | {"next": next, "skipped": published.skipped}
