"""JSON of requests and answers. A value without a form in JSON is refused."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from flask_tasks.client.errors import ClientError, Invalid
from flask_tasks.json_form import MAX_DEPTH, NoForm, encode, nulls_sentence

T = TypeVar("T")

MAX_REQUEST_DEPTH = MAX_DEPTH + 3
"""The arguments of one of many tasks are nested three deep in their request."""


def dump(value: Any) -> bytes:
    """Encode a value. Missing values become null, which is logged. Raises Invalid, with the path: it has no form."""
    try:
        text, nulls = encode(value, MAX_REQUEST_DEPTH)
    except NoForm as error:
        why = {"json": {error.path: [error.why]}}
        raise Invalid("the request has a value without a JSON form", errors=why) from None
    if nulls:
        import logging

        logging.getLogger("flask_tasks").warning(nulls_sentence(nulls, "the request"))
    return text.encode()


def load(text: bytes, convert: Callable[[Any], T]) -> T:
    """Decode and convert a text. Raises ClientError: it is not an answer of the service."""
    try:
        return convert(json.loads(text))
    except (LookupError, TypeError, ValueError) as error:
        raise ClientError(
            f"the answer is not one of flask-tasks: the address must be that of its API: {text[:100]!r}"
        ) from error
