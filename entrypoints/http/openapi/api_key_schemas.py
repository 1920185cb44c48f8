"""JSON Schemas of API keys, in requests and answers."""

from typing import Any

from domain.access import Scope
from domain.api_key import MAX_NAME_CHARACTERS, MAX_TYPES, MAX_WAITING, MIN_REQUESTS_PER_SECOND
from domain.instants import LATEST
from domain.rate import MAX_BURST, MAX_PER_SECOND
from entrypoints.http.openapi.schemas import time

SCOPES: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "uniqueItems": True,
    "items": {"type": "string", "enum": [*Scope]},
    "description": "What its senders may do: `submit` tasks, `read` them, `manage` them (cancel, retry, delete, set "
    "limits), or as `admin` all of it, and manage keys.",
}
TYPES: dict[str, Any] = {
    "type": ["array", "null"],
    "minItems": 1,
    "maxItems": MAX_TYPES,
    "items": {"type": "string", "minLength": 1},
    "description": "Names of the types whose tasks it may submit; null for all types.",
}
OWN_ONLY: dict[str, Any] = {
    "type": "boolean",
    "description": "Whether it sees and changes only the tasks and batches that were submitted with it. Others do not "
    "exist for it.",
}
LIMITS: dict[str, Any] = {
    "per_second": {
        "type": ["number", "null"],
        "minimum": MIN_REQUESTS_PER_SECOND,
        "maximum": MAX_PER_SECOND,
        "description": "Requests in a second, by all processes of the API together; null for no limit.",
    },
    "burst": {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": MAX_BURST,
        "description": "Requests that may come together; null for those of a second.",
    },
    "max_waiting": {
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": MAX_WAITING,
        "description": "Tasks submitted with it that may wait at a time; null for no limit.",
    },
}
NEW_API_KEY: dict[str, Any] = {
    "type": "object",
    "description": "A request for an API key.",
    "properties": {
        "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_NAME_CHARACTERS,
            "description": "Name of the key, for people.",
        },
        "scopes": SCOPES,
        "types": TYPES,
        "own_only": OWN_ONLY | {"default": False},
        **LIMITS,
        "expires": {
            "type": ["number", "null"],
            "minimum": 0,
            "maximum": LATEST.timestamp(),
            "description": "Time from which it is not accepted any more, in Unix seconds; null if it stays.",
        },
    },
    "required": ["name", "scopes"],
    "additionalProperties": False,
}
_API_KEY: dict[str, Any] = {
    "id": {"type": "string", "description": "Id of the key, the first part of its text."},
    "name": {"type": "string", "description": "Name of the key, for people."},
    "scopes": SCOPES,
    "types": TYPES,
    "own_only": OWN_ONLY,
    **LIMITS,
    "created": time("Time of creation"),
    "expires": time("Time from which it is not accepted any more; null if it stays"),
    "last_used": time("Time of a use, at most a minute or so before the last one; null if it was never used"),
    "revoked": time("Time of its revocation; null if it is not revoked"),
}
API_KEY: dict[str, Any] = {
    "type": "object",
    "description": "An API key, without its secret.",
    "properties": _API_KEY,
    "required": [*_API_KEY],
    "additionalProperties": False,
}
CREATED_API_KEY: dict[str, Any] = API_KEY | {
    "description": "A new API key. Its text is in this answer alone.",
    "properties": _API_KEY | {"key": {"type": "string", "description": "The key itself, which is stored nowhere."}},
    "required": [*_API_KEY, "key"],
}
API_KEYS: dict[str, Any] = {
    "type": "object",
    "description": "The API keys.",
    "properties": {
        "keys": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/ApiKey"},
            "description": "All keys, the oldest first.",
        }
    },
    "required": ["keys"],
    "additionalProperties": False,
}
API_KEY_SCHEMAS = {"ApiKey": API_KEY, "CreatedApiKey": CREATED_API_KEY, "ApiKeys": API_KEYS, "NewApiKey": NEW_API_KEY}
"""Schemas of the answers and of the request, by their names in the OpenAPI document."""
EXAMPLE: dict[str, Any] = {
    "id": "k3v9x2ab",
    "name": "simulation front end",
    "scopes": ["read", "submit"],
    "types": ["mov3d"],
    "own_only": True,
    "per_second": 20.0,
    "burst": None,
    "max_waiting": 1000,
    "created": 1668797946.0,
    "expires": 1700333946.0,
    "last_used": None,
    "revoked": None,
}
EXAMPLE_SECRET = "x" * 32
