"""Routes that set limits of a type and remove them: PUT and DELETE /types/{type}/limits."""

from typing import Any

from flask import Response

from domain.ids import TypeName
from domain.limits import Override
from entrypoints.http.access.needs import MANAGE_ALL
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.limits.reception import Receptions
from entrypoints.http.openapi.describe import LATE_BODY, TYPE_NAME, UNSUPPORTED_BODY, error_responses, response
from entrypoints.http.requests.body import body, json_object
from entrypoints.http.requests.limits import override_of
from entrypoints.http.responses.json_response import JSON, json_response
from entrypoints.http.services import Services
from entrypoints.types_json import type_json

MAX_BYTES = 64 * 1024
MAX_BODIES_RECEIVED = 4
BODY = {
    "required": True,
    "content": {
        JSON: {"schema": {"$ref": "#/components/schemas/Override"}, "example": {"at_once": 2, "paused": True}},
    },
}
EXAMPLE: dict[str, Any] = {
    "name": "add",
    "description": "Add two numbers.",
    "live": True,
    "abandoned": False,
    "oldest_due": None,
    "schema": {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}},
    "result": {"type": ["number", "null"]},
    "defaults": {"priority": 0, "max_attempts": 1, "max_losses": 3, "timeout": None, "callback": None},
    "schedule": None,
    "limits": {
        "at_once": 2,
        "per_second": 10,
        "burst": 2,
        "lane": "user",
        "at_once_per_lane": 1,
        "paused": True,
        "accepting": True,
        "running": 1,
        "declared": {"at_once": 4, "per_second": 10, "lane": "user", "at_once_per_lane": 1},
        "override": {"at_once": 2, "paused": True},
    },
}
UNKNOWN = {404: "No handler has published this type."}
SET = response(200, "The type with the limits that hold now.", "Type", EXAMPLE) | error_responses(
    {
        **UNKNOWN,
        400: "The body is not JSON.",
        408: LATE_BODY,
        413: f"The body is longer than {MAX_BYTES} bytes.",
        415: UNSUPPORTED_BODY,
        422: "The body is no JSON object, or a limit is unknown or out of bounds; `errors` names each.",
    }
)
REMOVED = response(
    200,
    "The type with its declared limits.",
    "Type",
    EXAMPLE | {"limits": EXAMPLE["limits"] | {"at_once": 4, "paused": False, "override": None}},
) | error_responses(UNKNOWN)


def add_limits(types: Blueprint, services: Services) -> None:
    """Add the routes."""
    set_limits, find_oldest_due = services.set_limits(), services.find_oldest_due()
    receptions = Receptions(MAX_BODIES_RECEIVED)

    def changed(type: str, override: Override | None) -> Response:
        name = TypeName(type)
        return json_response(type_json(set_limits(name, override), find_oldest_due().get(name)))

    @types.operation(
        "PUT", "/types/<type>/limits", needs=MANAGE_ALL, parameters=[TYPE_NAME], requestBody=BODY, responses=SET
    )
    def set_type_limits(type: str) -> Response:
        """Set limits of a type

        These limits hold in place of the declared ones, in every handler within 1.5 seconds. They replace those of an
        earlier request, and stand until they are removed, whatever is published or restarted. A limit that is left out
        is as the function declares it. With `paused` nothing more starts, and what runs goes on.
        """
        with suspended(), receptions.place() as reception:
            text = body(reception.read, MAX_BYTES)
        return changed(type, override_of(json_object(text)))

    @types.operation("DELETE", "/types/<type>/limits", needs=MANAGE_ALL, parameters=[TYPE_NAME], responses=REMOVED)
    def remove_type_limits(type: str) -> Response:
        """Remove the limits that were set

        The limits that the function declares hold again. If none were set, nothing changes.
        """
        return changed(type, None)
