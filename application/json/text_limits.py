"""The limits of dates, durations, decimals and the like that JSON has as texts: the API checks them as functions do."""

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from application.json.formats import read

KEYWORD = "x-limits"
"""The member of a JSON Schema that holds such limits, by name, and the format in which the value is read."""
_MAX_EXPONENT = 5_000
"""A decimal with a larger one is a multiple of nothing: to compute it would take all memory."""


def keeps(limits: Mapping[str, Any], value: Any) -> bool:
    """Whether a value that was read keeps each of these limits."""
    try:
        return all(_CHECKS[name](value, _limit(limits, name)) for name in limits if name in _CHECKS)
    except TypeError:  # a time with a zone is neither before nor after one without
        return False


def keeps_in_json(limits: Mapping[str, Any], value: Any) -> bool:
    """Whether a JSON value keeps each of these limits. One that cannot be read does; its format refuses it."""
    if not isinstance(value, str):
        return value is None or isinstance(value, bool | list | dict) or keeps(limits, Decimal(str(value)))
    try:
        return keeps(limits, read(limits["format"], value))
    except ValueError:
        return True


def described(limits: Mapping[str, Any]) -> str:
    """The limits in words: `at least 2026-01-01`."""
    return ", ".join(f"{words} {limits[name]}" for name, words in _WORDS.items() if name in limits)


def _limit(limits: Mapping[str, Any], name: str) -> Any:
    limit = limits[name]
    return read(limits["format"], limit) if isinstance(limit, str) and name != "tz_constraint" else limit


def _has_digits(value: Decimal, most: int) -> bool:
    whole, decimals = _lengths(value)
    return whole + decimals <= most


def _has_places(value: Decimal, most: int) -> bool:
    return _lengths(value)[1] <= most


def _lengths(value: Decimal) -> tuple[int, int]:
    """The digits before and after the point."""
    _, digits, exponent = value.as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    point = len(digits) + int(exponent)
    return max(point, 0), max(len(significant) - point, 0)


def _is_multiple(value: Decimal, of: Decimal) -> bool:
    return abs(value.adjusted()) <= _MAX_EXPONENT and Fraction(value) % Fraction(of) == 0


def _has_zone(value: Any, constraint: str) -> bool:
    return (value.tzinfo is not None) == (constraint == "aware")


_CHECKS: Mapping[str, Callable[[Any, Any], bool]] = {
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
    "multiple_of": _is_multiple,
    "max_digits": _has_digits,
    "decimal_places": _has_places,
    "tz_constraint": _has_zone,
}
_WORDS = {
    "ge": "at least",
    "gt": "more than",
    "le": "at most",
    "lt": "less than",
    "multiple_of": "a multiple of",
    "max_digits": "of digits up to",
    "decimal_places": "of digits after the point up to",
    "tz_constraint": "of zone",
}
LIMITS = frozenset(_WORDS)
"""The names of the limits, which are those of pydantic."""
