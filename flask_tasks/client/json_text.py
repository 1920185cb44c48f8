"""JSON of requests and answers. A value that would not come back unchanged is refused."""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from flask_tasks.client.errors import ClientError, Invalid

T = TypeVar("T")

ENCODING_ERRORS = (TypeError, ValueError, RecursionError)
MAX_PATH_DEPTH = 100  # depth at which the search for an invalid value ends, as a list may contain itself

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def dump(value: Any) -> bytes:
    """Encode a value. Raises Invalid, with the path: the value has no JSON form, as NaN."""
    try:
        return _encoder.encode(value).encode()
    except ENCODING_ERRORS as error:
        path, why = _invalid_path(value, error)
        raise Invalid("the request has a value without a JSON form", errors={"json": {path: [why]}}) from None


def load(text: bytes, convert: Callable[[Any], T]) -> T:
    """Decode and convert a text. Raises ClientError: it is not an answer of the service."""
    try:
        return convert(json.loads(text))
    except (LookupError, TypeError, ValueError) as error:
        raise ClientError(
            f"the answer is not one of flask-tasks: the address must be that of its API: {text[:100]!r}"
        ) from error


def _invalid_path(value: Any, error: Exception, path: str = "$", depth: int = 0) -> tuple[str, str]:
    for name, member in _members(value) if depth < MAX_PATH_DEPTH else ():
        try:
            _encoder.encode(member).encode()
        except ENCODING_ERRORS as inner:
            return _invalid_path(member, inner, f"{path}.{name}", depth + 1)
    return path, str(error)


def _members(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)
