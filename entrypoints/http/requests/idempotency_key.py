"""The header `Idempotency-Key` of a request; application/submissions.py looks up the task that has the key."""

from typing import Any

from flask import request

from domain.errors import InvalidIdempotencyKey
from domain.idempotency_key import PATTERN, idempotency_key
from domain.ids import IdempotencyKey


class RepeatedIdempotencyKey(InvalidIdempotencyKey):
    """the idempotency key must be given only once, and without a comma"""


KEY = "Idempotency-Key"
WSGI_NAME = "HTTP_IDEMPOTENCY_KEY"
KEY_SCHEMA = {"type": "string", "pattern": PATTERN}
HEADER_SCHEMA = {"type": "string", "pattern": "^[ -+\\--~]{1,255}$"}
"""A header has no comma, with which servers and proxies join two headers of one name."""
KEY_HEADER: dict[str, Any] = {
    "in": "header",
    "name": KEY,
    "description": "A text that the client chooses, such as a UUID. A request with the key, type and arguments of an "
    "earlier one is answered with the task of the earlier one, as long as that task exists, so that it can be repeated "
    "safely.",
    "schema": HEADER_SCHEMA,
}


def idempotency_key_of_request() -> IdempotencyKey | None:
    """Read the key of the current request, if it has one.

    - Raises InvalidIdempotencyKey: the key is not valid.
    - Raises RepeatedIdempotencyKey: the request has two keys.
    """
    given = request.environ.get(WSGI_NAME)
    if given is None:
        return None
    if "," in given:
        raise RepeatedIdempotencyKey
    return idempotency_key(given)
