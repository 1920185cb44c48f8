"""Routes that make, list and revoke API keys: POST and GET /keys, and DELETE /keys/{id}."""

import json
from typing import Any

from flask import Response

from application.errors import InvalidApiKey
from application.use_cases.create_api_key import ApiKeyRequest
from domain.access import Scope
from domain.errors import InvalidOption
from domain.ids import ApiKeyId, TypeName
from entrypoints.api_key_json import api_key_json
from entrypoints.http.access.needs import ADMIN
from entrypoints.http.blueprint import Blueprint
from entrypoints.http.limits.concurrency import suspended
from entrypoints.http.limits.reception import Receptions
from entrypoints.http.openapi.api_key_schemas import EXAMPLE, EXAMPLE_SECRET, NEW_API_KEY
from entrypoints.http.openapi.describe import LATE_BODY, UNSUPPORTED_BODY, error_responses, response
from entrypoints.http.requests.body import body, json_object
from entrypoints.http.requests.queries import utc_time
from entrypoints.http.responses.json_response import JSON, NO_STORE, json_response
from entrypoints.http.services import Services

MAX_BYTES = 256 * 1024
MAX_BODIES_RECEIVED = 4
KEY_ID: dict[str, Any] = {
    "in": "path",
    "name": "id",
    "required": True,
    "description": "The id of the key.",
    "schema": {"type": "string"},
    "example": EXAMPLE["id"],
}
ASKED = {name: EXAMPLE[name] for name in NEW_API_KEY["properties"]}
BODY = {
    "required": True,
    "content": {JSON: {"schema": {"$ref": "#/components/schemas/NewApiKey"}, "example": ASKED}},
}
CREATED = response(
    201, "The new key.", "CreatedApiKey", EXAMPLE | {"key": f"ft_{EXAMPLE['id']}_{EXAMPLE_SECRET}"}
) | error_responses(
    {
        400: "The body is not JSON.",
        408: LATE_BODY,
        413: f"The body is longer than {MAX_BYTES} bytes.",
        415: UNSUPPORTED_BODY,
        422: "The body is no JSON object, or a member is unknown or out of bounds; `errors` names each.",
    }
)
LISTED = response(200, "All keys.", "ApiKeys", {"keys": [EXAMPLE]}) | error_responses({})
REVOKED = response(200, "The revoked key.", "ApiKey", EXAMPLE | {"revoked": 1668801546.0}) | error_responses(
    {404: "No key has this id."}
)


def add_api_keys(keys: Blueprint, services: Services) -> None:
    """Add the routes."""
    create, list_all, revoke = services.create_api_key(), services.list_api_keys(), services.revoke_api_key()
    checker, schema = services.checker(), json.dumps(NEW_API_KEY)
    receptions = Receptions(MAX_BODIES_RECEIVED)

    @keys.operation("POST", "/keys", needs=ADMIN, requestBody=BODY, responses=CREATED)
    def create_key() -> Response:
        """Make an API key

        The answer has the key itself, which is stored nowhere and never shown again. The first key closes the API:
        from then on every request needs one.
        """
        with suspended(), receptions.place() as reception:
            text = body(reception.read, MAX_BYTES)
        members = json_object(text)
        if errors := checker.errors(schema, members):
            raise InvalidApiKey(errors)
        try:
            created = create(_request(members))
        except InvalidOption as error:
            raise InvalidApiKey({f"$.{error.option}": [f"it must be {error.expected}"]}) from None
        return json_response(api_key_json(created.key, created.token), 201, NO_STORE)

    @keys.operation("GET", "/keys", needs=ADMIN, responses=LISTED)
    def list_keys() -> Response:
        """List the API keys

        The answer has all keys, the oldest first, revoked and expired ones included, without their secrets.
        """
        return json_response(f'{{"keys":[{",".join(map(api_key_json, list_all()))}]}}')

    @keys.operation("DELETE", "/keys/<id>", needs=ADMIN, parameters=[KEY_ID], responses=REVOKED)
    def revoke_key(id: str) -> Response:
        """Revoke an API key

        Within 5 seconds no process of the API accepts it any more, and its streams have ended. It stays in the list.
        """
        return json_response(api_key_json(revoke(ApiKeyId(id))))


def _request(members: dict[str, Any]) -> ApiKeyRequest:
    types, expires, per_second = (members.get(name) for name in ("types", "expires", "per_second"))
    return ApiKeyRequest(
        name=members["name"],
        scopes=frozenset(map(Scope, members["scopes"])),
        types=None if types is None else [*map(TypeName, types)],
        own_only=members.get("own_only", False),
        per_second=None if per_second is None else float(per_second),
        burst=members.get("burst"),
        max_waiting=members.get("max_waiting"),
        expires=None if expires is None else utc_time(expires),
    )
