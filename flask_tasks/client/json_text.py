"""JSON as it is sent and as it comes: what would not come back as it went in is refused here."""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from flask_tasks.client.errors import ClientError, Invalid

T = TypeVar("T")

REFUSED = (TypeError, ValueError, RecursionError)
MAX_DEPTH = 100
"""Levels after which a place is not looked for any further: what contains itself has no end."""

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def dump(value: Any) -> bytes:
    """The text of a value. Invalid names the place of what JSON has no form for, such as NaN."""
    try:
        return _encoder.encode(value).encode()
    except REFUSED as error:
        path, why = _place(value, error)
        raise Invalid("this cannot be sent", errors={"json": {path: [why]}}) from None


def load(text: bytes, of: Callable[[Any], T]) -> T:
    """What this makes of the text. ClientError where the text is not what the service would say."""
    try:
        return of(json.loads(text))
    except (LookupError, TypeError, ValueError) as error:
        raise ClientError(f"this is no answer of the service, is it at that address? {text[:100]!r}") from error


def _place(value: Any, error: Exception, path: str = "$", depth: int = 0) -> tuple[str, str]:
    for name, member in _members(value) if depth < MAX_DEPTH else ():
        try:
            _encoder.encode(member).encode()
        except REFUSED as inner:
            return _place(member, inner, f"{path}.{name}", depth + 1)
    return path, str(error)


def _members(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)
