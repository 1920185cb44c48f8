"""An example of what a JSON Schema takes: as small as may be, and the same each time."""

import json
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

DEEPEST = 8
LONGEST = 100
"""Items or characters that an example has at most."""

STRINGS = {
    "date-time": "2030-01-31T12:00:00Z",
    "date": "2030-01-31",
    "time": "12:00:00",
    "duration": "PT1H",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "somebody@example.org",
    "uri": "https://example.org/",
}


def example_of(schema: str, is_valid: Callable[[Any], bool]) -> Any | None:
    """What the schema names as an example, or one made of its parts; None where nothing of that is valid."""
    root = json.loads(schema)
    try:
        example = _example(root, root, 0)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError):
        # Schemas may say things that are of no use for this.
        return None
    return example if is_valid(example) else None


def _example(schema: Any, root: Any, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > DEEPEST:
        return None
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    for name in ("example", "default", "const"):
        if name in schema:
            return schema[name]
    if "$ref" in schema:
        return _example(_found(schema["$ref"], root), root, depth + 1)
    for name in ("allOf", "anyOf", "oneOf"):
        if schema.get(name):
            return _example(_first(schema[name]), root, depth + 1)
    return _of_type(schema, root, depth)


def _of_type(schema: Mapping[str, Any], root: Any, depth: int) -> Any:
    type = schema.get("type", "object" if "properties" in schema else "string")
    match type[0] if isinstance(type, list) else type:
        case "object":
            wanted = schema.get("required", ())
            return {name: _example(schema.get("properties", {}).get(name, {}), root, depth + 1) for name in wanted}
        case "array":
            return _array(schema, root, depth)
        case "number":
            return _number(schema, 1.0)
        case "integer":
            return int(_number(schema, 1))
        case "boolean":
            return True
        case "null":
            return None
    text = STRINGS.get(schema.get("format", ""), "test")
    return text.ljust(min(schema.get("minLength", 0), LONGEST), "x")[: schema.get("maxLength", LONGEST)]


def _array(schema: Mapping[str, Any], root: Any, depth: int) -> list[Any]:
    first = [_example(each, root, depth + 1) for each in schema.get("prefixItems", ())]
    more = min(max(schema.get("minItems", 1), 1), LONGEST) - len(first)
    rest = schema.get("items", {}) if not first or schema.get("minItems", 0) > len(first) else False
    return first + [_example(rest, root, depth + 1)] * max(more, 0) if rest is not False else first


def _number(schema: Mapping[str, Any], usual: float) -> float:
    """The usual one where the bounds allow it, else one in their middle."""
    low = max(schema.get("minimum", -inf), schema.get("exclusiveMinimum", -inf))
    high = min(schema.get("maximum", inf), schema.get("exclusiveMaximum", inf))
    is_bound = usual in (schema.get("minimum"), schema.get("maximum"))
    number = usual if low < usual < high or is_bound else _between(low, high)
    step = schema.get("multipleOf")
    return -(-number // step) * step if step else number


def _between(low: float, high: float) -> float:
    if low == -inf:
        return high - 1
    return low + 1 if high == inf else (low + high) / 2


def _first(schemas: list[Any]) -> Any:
    return next((each for each in schemas if each.get("type") != "null"), schemas[0])


def _found(reference: str, root: Any) -> Any:
    found = root
    for step in reference.removeprefix("#").split("/")[1:]:
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found
