"""Arrays of numbers in JSON: lists, nested or not, of equal lengths. The API checks them as functions do."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

KEYWORD = "x-array"
"""The member of a JSON Schema that describes such an array, by the type and the bounds of its items."""
MAX_DIMENSIONS = 32
MAX_DOUBLE = float.fromhex("0x1.fffffffffffffp1023")

_TYPES: Mapping[str, frozenset[type]] = {
    "boolean": frozenset({bool}),
    "integer": frozenset({int, float}),
    "number": frozenset({int, float}),
}


def is_array(value: Any, item: Mapping[str, Any]) -> bool:
    """Whether the value is an array of items of that `type`, from its `minimum` to its `maximum`."""
    items = _items(value)
    if items is None or not {*map(type, items)} <= _TYPES[item["type"]]:
        return False
    if item["type"] == "integer" and not all(each == each // 1 for each in items if type(each) is float):
        return False
    is_bounded = bool(items) and item["type"] != "boolean"
    return not is_bounded or (item["minimum"] <= min(items) and max(items) <= item["maximum"])


def _items(value: Any) -> list[Any] | None:
    """The items of nested lists of one shape; None of any other value."""
    for _ in range(MAX_DIMENSIONS):
        if not isinstance(value, list):
            return None
        types = {*map(type, value)}
        if list not in types:
            return value
        if len(types) > 1 or len({*map(len, value)}) > 1:
            return None
        value = [*chain.from_iterable(value)]
    return None
