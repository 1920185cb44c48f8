"""The body of a request: a JSON object or an array of items, kept exactly."""

from collections.abc import Iterator
from functools import lru_cache
from typing import IO, Any

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnprocessableEntity, UnsupportedMediaType
from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_content_length, get_input_stream

from domain import json_text
from domain.json_items import items

Environ = dict[str, Any]
CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})


def json_object(text: str) -> dict[str, Any]:
    """What the body says. 400 or 422 where it is no JSON object that can be kept."""
    value = json_text.parse(text)
    if isinstance(value, dict):
        return value
    raise UnprocessableEntity("the body must be a JSON object")


def json_items(text: str, longest: int) -> Iterator[Any]:
    """The items of the array that the body is, each of `longest` characters at most, one at a time.

    400 or 422 where it is no such array. An item that cannot be kept is a NotKept.
    """
    if text.lstrip().startswith("{"):
        raise UnprocessableEntity("the body is a JSON object: it must be an array of objects")
    return items(text, longest)


def body(most: int) -> str:
    """The whole body. 400, 413 or 415 where it is no text of at most so many bytes that says that it is JSON."""
    # What it is asked for is next to nothing: the request's own properties would take twice the time.
    environ = request.environ
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedMediaType("the body has a content encoding: it must be sent without one")
    data = _data(environ, most)
    if not is_json(environ.get("CONTENT_TYPE", "")):
        raise UnsupportedMediaType("the content type must be application/json in UTF-8")
    try:
        # A byte order mark is no part of JSON, yet some editors leave one.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8: byte {error.start} is invalid") from None


def _data(environ: Environ, most: int) -> bytes:
    """The whole body. werkzeug's own reader would take what there is for the whole where a client breaks off."""
    length = get_content_length(environ)
    if length is None:
        data = _read(get_input_stream(environ), most + 1)
    else:
        data = _read(environ["wsgi.input"], length) if length <= most else b""
    if len(data) > most or (length or 0) > most:
        raise RequestEntityTooLarge(f"the body has more than {most} bytes")
    if length is not None and len(data) < length:
        raise BadRequest(f"the body ends after {len(data)} of {length} bytes")
    if not data:
        raise BadRequest("the body is empty: it must be JSON")
    return data


def _read(stream: IO[bytes], most: int) -> bytes:
    data = b""
    while len(data) < most and (more := stream.read(most - len(data))):
        data = data + more if data else more
    return data


@lru_cache(maxsize=100)
def is_json(content_type: str) -> bool:
    """Whether this header announces JSON in UTF-8."""
    kind, parameters = parse_options_header(content_type.lower())
    named = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    return named and parameters.get("charset", "") in CHARSETS
