"""The body of a request: a JSON object, or an array of items, with every value exact."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import IO, Any, TypeVar

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnprocessableEntity, UnsupportedMediaType
from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_content_length, get_input_stream

from application.json.items import items, with_items
from application.json.parsing import parse
from entrypoints.http.flask_app import BODY_IS_READ
from entrypoints.http.requests.content_encoding import IDENTITY, check_encoding, decompressed

Used = TypeVar("Used")
Environ = dict[str, Any]
Read = Callable[[IO[bytes], int], bytes]
CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})
"""Names of UTF-8 and its subset in a content type; an empty one stands for the default of JSON, UTF-8."""


def json_object(text: str) -> dict[str, Any]:
    """Parse a body that must be a JSON object.

    - Raises NotJson: the text is not JSON.
    - Raises UnkeepableJson: a value cannot be stored exactly.
    - Raises UnprocessableEntity: the value is not an object.
    """
    value = parse(text)
    if isinstance(value, dict):
        return value
    raise UnprocessableEntity("the body must be a JSON object")


def json_items(text: str, max_characters: int) -> Iterator[Any]:
    """Parse a body that must be a JSON array, one item at a time. An item that cannot be stored is a UnkeepableJson.

    - `max_characters`: limit of one item.
    - Raises NotJson: the text is not a JSON array.
    - Raises UnkeepableJson: an item is so much longer that its end is not searched for.
    - Raises UnprocessableEntity: the text is another JSON value.
    """
    start = text.lstrip()[:1]
    if start == "[":
        return items(text, max_characters)
    # An object may be long, and is no array however it goes on.
    if start != "{":
        parse(text)
    raise UnprocessableEntity("the body must be a JSON array of objects")


def json_members(
    text: str, name: str, max_characters: int, use: Callable[[Iterator[Any]], Used]
) -> tuple[dict[str, Any], Used | None]:
    """Parse a body that must be a JSON object, of which one member is an array of many items.

    - Raises NotJson, UnkeepableJson: as application.json.items.with_items.
    - Raises UnprocessableEntity: the text is another JSON value.
    """
    start = text.lstrip()[:1]
    if start == "{":
        return with_items(text, name, max_characters, use)
    # An array may be long, and is no object however it goes on.
    if start != "[":
        parse(text)
    raise UnprocessableEntity("the body must be a JSON object")


def body(read: Read, max_bytes: int, empty: str | None = None) -> str:
    """Read the whole body of the current request.

    - `read`: reads up to so many bytes of a stream, or up to its end.
    - `empty`: stands for an empty body, which needs no content type then.
    - Raises BadRequest: the body is incomplete, not UTF-8, or empty.
    - Raises RequestEntityTooLarge: it is longer than `max_bytes`, as it is sent or when it is decompressed.
    - Raises UnsupportedMediaType: its encoding is unknown, or its content type is not JSON.
    """
    # The properties of flask.request take twice the time of reading the environ.
    environ = request.environ
    encoding, content_type = environ.get("HTTP_CONTENT_ENCODING", IDENTITY).lower(), environ.get("CONTENT_TYPE", "")
    check_encoding(encoding)
    data = received(environ, read, max_bytes)
    if data and encoding != IDENTITY:
        data = decompressed(data, encoding, max_bytes)
    # A chunked body that breaks off at its start is read as an empty one.
    if not data and (empty is None or "HTTP_TRANSFER_ENCODING" in environ):
        raise BadRequest("the body is empty: it must be JSON")
    if not is_json(content_type) and (data or content_type):
        raise UnsupportedMediaType("the content type must be application/json in UTF-8")
    if not data:
        return str(empty)
    try:
        # A byte order mark is not JSON, but some editors write one.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8: byte {error.start} is invalid") from None


def received(environ: Environ, read: Read, max_bytes: int) -> bytes:
    """Read the whole body. The reader of werkzeug accepts a part of it if the client disconnects."""
    length = get_content_length(environ)
    if length is None:
        data = read(get_input_stream(environ), max_bytes + 1)
    else:
        data = read(environ["wsgi.input"], length) if 0 < length <= max_bytes else b""
    if len(data) > max_bytes or (length or 0) > max_bytes:
        raise RequestEntityTooLarge(f"the body has more than {max_bytes} bytes")
    if length is not None and len(data) < length:
        raise BadRequest(f"the body ends after {len(data)} of {length} bytes")
    environ[BODY_IS_READ] = True
    return data


@lru_cache(maxsize=100)
def is_json(content_type: str) -> bool:
    """Whether a content type is JSON in UTF-8."""
    kind, parameters = parse_options_header(content_type.lower())
    is_named_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    return is_named_json and parameters.get("charset", "") in CHARSETS
