"""A small, deterministic example of a value that a JSON Schema accepts."""

import json
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from entrypoints.http.openapi.pointers import resolved

MAX_PARTS = 200
MAX_STRING_CHARACTERS = 100

STRINGS = {
    "date-time": "2030-01-31T12:00:00Z",
    "date": "2030-01-31",
    "time": "12:00:00",
    "duration": "PT1H",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "name@example.org",
    "uri": "https://example.org/",
}

UNUSABLE = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)
"""Errors from schemas that no example can be made of."""


def example_of(schema: str, is_valid: Callable[[Any], bool]) -> Any | None:
    """Return the example in a schema, or make one of its parts. None if the example would be large or is not valid."""
    try:
        example = _Maker(json.loads(schema)).example()
        return example if is_valid(example) else None
    except UNUSABLE:
        return None


class _Maker:
    """Maker of one example of one schema."""

    def __init__(self, schema: Any) -> None:
        self._root = schema
        self._parts_left = MAX_PARTS

    def example(self) -> Any:
        """Make the example. Raises OverflowError: it has more than MAX_PARTS parts."""
        return self._example_of(self._root)

    def _example_of(self, schema: Any) -> Any:
        self._parts_left -= 1
        if self._parts_left < 0:
            raise OverflowError
        if not isinstance(schema, dict):
            return None
        for name in ("examples", "enum"):
            if schema.get(name):
                return schema[name][0]
        for name in ("example", "default", "const"):
            if name in schema:
                return schema[name]
        return self._of_parts(schema)

    def _of_parts(self, schema: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            return self._example_of(resolved(schema["$ref"], self._root))
        for name in ("allOf", "anyOf", "oneOf"):
            if schema.get(name):
                return self._example_of(_first(schema[name]))
        return self._of_type(schema)

    def _of_type(self, schema: Mapping[str, Any]) -> Any:
        match _type(schema):
            case "object":
                members = schema.get("properties", {})
                return {name: self._example_of(members.get(name, {})) for name in schema.get("required", ())}
            case "array":
                return self._array(schema)
            case "number":
                return _number(schema, 1.0)
            case "integer":
                return int(_number(schema, 1))
            case "boolean":
                return True
            case "null":
                return None
        return _string(schema)

    def _array(self, schema: Mapping[str, Any]) -> list[Any]:
        items = [self._example_of(each) for each in schema.get("prefixItems", ())]
        wanted = max(schema.get("minItems", 0), 0 if items or schema.get("maxItems") == 0 else 1)
        while len(items) < wanted:
            items.append(self._example_of(schema.get("items", {})))
        return items


def _type(schema: Mapping[str, Any]) -> Any:
    type = schema.get("type", "object" if "properties" in schema else "string")
    return type[0] if isinstance(type, list) else type


def _string(schema: Mapping[str, Any]) -> str:
    text = STRINGS.get(schema.get("format", ""), "test")
    return text.ljust(min(schema.get("minLength", 0), MAX_STRING_CHARACTERS), "x")[
        : schema.get("maxLength", MAX_STRING_CHARACTERS)
    ]


def _number(schema: Mapping[str, Any], usual: float) -> float:
    """Return `usual` if the bounds allow it, else a number between the bounds."""
    low = max(schema.get("minimum", -inf), schema.get("exclusiveMinimum", -inf))
    high = min(schema.get("maximum", inf), schema.get("exclusiveMaximum", inf))
    is_bound = usual in (schema.get("minimum"), schema.get("maximum"))
    number = usual if low < usual < high or is_bound else _between(low, high)
    step = schema.get("multipleOf")
    return -(-number // step) * step if step else number


def _between(low: float, high: float) -> float:
    if low == -inf:
        return high - 1
    return low + 1 if high == inf else low + (high - low) / 2


def _first(schemas: list[Any]) -> Any:
    return next((each for each in schemas if each.get("type") != "null"), schemas[0])
