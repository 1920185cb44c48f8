"""The JSON text of a parsed value: the one in which it is stored, and the one that compares it with others."""

import json
from typing import Any

_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_SORTED = json.JSONEncoder(sort_keys=True)


def dump(value: Any) -> str:
    """The text in which a parsed value is stored: compact, without NUL, and with a form in UTF-8."""
    return _COMPACT.encode(value)


def canonical(value: Any) -> str:
    """The same text for equal values: the order of keys does not matter, and 1.0 equals 1."""
    return _SORTED.encode(_with_whole_numbers(value))


def _with_whole_numbers(value: Any) -> Any:
    match value:
        case dict():
            return {key: _with_whole_numbers(member) for key, member in value.items()}
        case list():
            return [_with_whole_numbers(item) for item in value]
        case float() if value.is_integer():
            return int(value)
    return value
