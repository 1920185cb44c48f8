"""The header `Idempotency-Key`, which makes a request the same as one before."""

from typing import Any

from flask import request

from domain.idempotency_key import PATTERN, idempotency_key
from domain.ids import IdempotencyKey

KEY = "Idempotency-Key"
WSGI_NAME = "HTTP_IDEMPOTENCY_KEY"
KEY_SCHEMA = {"type": "string", "pattern": PATTERN}
KEY_HEADER: dict[str, Any] = {
    "in": "header",
    "name": KEY,
    "description": "A text of your own, such as a UUID. A request with a key, type and arguments that came before is "
    "answered with the task that it made then, for as long as that one is kept: it may be sent again without harm.",
    "schema": KEY_SCHEMA,
}


def idempotency_key_of_request() -> IdempotencyKey | None:
    """The key that was sent, if one was. Raises InvalidIdempotencyKey: the text does not match PATTERN."""
    given = request.environ.get(WSGI_NAME)
    return None if given is None else idempotency_key(given)
