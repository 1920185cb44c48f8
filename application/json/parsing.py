"""Parsing of JSON that comes back as it went in; anything else is refused.

Kept are the order of keys, integers of up to 4,300 digits, doubles to the last bit and every character of Unicode.
Refused, with the path of the place, are NaN, numbers beyond a double, lone surrogates, duplicate keys and deep nesting.
"""

import json
import re
from contextlib import suppress
from math import isfinite
from typing import Any, NoReturn

from application.json.careful_parsing import parse_at_with_care, parse_with_care
from application.json.errors import UnkeepableJson
from application.json.limits import TOO_DEEP, is_too_deep

_NEEDS_CARE = re.compile(r"\\u[dD][89a-fA-F]|-0(?![\d.eE])")
"""An escaped surrogate, which may be a lone one, and -0, which no integer can hold."""


def parse(text: str) -> Any:
    """The value of a JSON text.

    Raises NotJson: the text is not JSON.
    Raises UnkeepableJson: the first part of it that cannot be kept.
    """
    if is_too_deep(text):
        raise UnkeepableJson("$", TOO_DEEP)
    if not _NEEDS_CARE.search(text):
        try:
            return _STRICT.decode(text)
        except (ValueError, RecursionError):
            pass
    return parse_with_care(text)


def parse_at(text: str, start: int) -> tuple[Any, int]:
    """The value that begins at `start`, and its end. A value that cannot be kept is replaced by its UnkeepableJson.

    Raises JSONDecodeError: no value begins there.
    Raises UnkeepableJson: the value is nested too deep to find its end.
    """
    with suppress(ValueError, RecursionError):
        value, end = _STRICT.raw_decode(text, start)
        part = text[start:end]
        if not _NEEDS_CARE.search(part) and not is_too_deep(part):
            return value, end
    return parse_at_with_care(text, start)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError
    return number


def _refused(_: str) -> NoReturn:
    raise ValueError


_STRICT = json.JSONDecoder(parse_float=_finite, parse_constant=_refused, object_pairs_hook=_unique)
"""Raises for what cannot be kept without naming it: careful parsing is slower, and names it."""
