"""The arguments or the result of a type as a table: a JSON Schema in words, with one row for each member."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from entrypoints.http.openapi.pointers import resolved

MAX_ROWS = 200
MAX_DEPTH = 4
MAX_VALUE_CHARACTERS = 120
ANY_VALUE = "any value"
UNUSABLE = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""Errors from schemas that no table can be made of."""
NAMES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
    "array": "list",
}
PLURALS = {"text": "texts", "whole number": "whole numbers", "number": "numbers", "object": "objects", "list": "lists"}
FORMATS = {"date-time": "date and time", "uri": "address", "binary": "bytes"}
BOUNDS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"),
    ("multipleOf", "a multiple of {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("pattern", "matches {}"),
    ("minProperties", "at least {} members"),
    ("maxProperties", "at most {} members"),
)
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One row: an argument, or a member of one, whose name is then the way to it.

    - `depth`: 0 of an argument, 1 of a member of one.
    - `default`: the text of the value that stands for one that is not given; None if there is none.
    """

    name: str
    depth: int
    type: str
    is_required: bool
    bounds: str = ""
    default: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class SchemaTable:
    """A schema in words.

    - `arguments`: the arguments that it names, or the members of a result.
    - `allows_others`: whether it allows others.
    - `type`: the type of the whole.
    - `raw`: the schema as readable JSON.
    """

    arguments: tuple[Argument, ...]
    allows_others: bool
    type: str
    raw: str

    @property
    def names(self) -> list[str]:
        """The names of the arguments, without those of their members."""
        return [each.name for each in self.arguments if each.depth == 0]


@lru_cache(maxsize=500)
def schema_table(schema: str) -> SchemaTable:
    """Make the table of the arguments that a schema describes; one without rows where it is too odd."""
    return _made(schema, lambda table, root: table.rows(root))


@lru_cache(maxsize=500)
def result_table(schema: str) -> SchemaTable:
    """Make the table of the result that a schema describes, with the members of an object or of each item of a list."""
    return _made(schema, lambda table, root: table.inner_rows(root, "", 0))


def _made(schema: str, rows_of: "Callable[[_Table, Any], Iterator[Argument]]") -> SchemaTable:
    try:
        root = json.loads(schema)
        raw = json.dumps(root, indent=2, ensure_ascii=False)
        table = _Table(root)
        rows = tuple(row for row, _ in zip(rows_of(table, root), range(MAX_ROWS), strict=False))
        return SchemaTable(rows, table.allows_others(root), table.type(root), raw)
    except UNUSABLE:
        return SchemaTable((), True, ANY_VALUE, schema)


class _Table:
    """The rows of one schema, whose references are followed."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def rows(self, schema: Any, prefix: str = "", depth: int = 0) -> Iterator[Argument]:
        """The members of an object, each followed by its own."""
        schema = self._followed(schema)
        required = schema.get("required", ())
        for name, given in schema.get("properties", {}).items():
            member = self._followed(given)
            yield Argument(
                name=prefix + name,
                depth=depth,
                type=self._type(member),
                is_required=name in required,
                bounds=self._bounds(member),
                default=_value(member["default"]) if "default" in member else None,
                description=str(member.get("description", "")),
            )
            if depth < MAX_DEPTH:
                yield from self.inner_rows(member, prefix + name, depth + 1)

    def inner_rows(self, member: Any, name: str, depth: int) -> Iterator[Argument]:
        """The members of an object of this name, or of each item of a list."""
        for choice in self._choices(self._followed(member)):
            yield from self.rows(choice, f"{name}." if name else "", depth)
            if isinstance(choice.get("items"), dict):
                yield from self.rows(choice["items"], f"{name}[].", depth)

    def type(self, schema: Any) -> str:
        """The type of a value in words."""
        return self._type(self._followed(schema))

    def allows_others(self, schema: Any) -> bool:
        """Whether arguments that the schema does not name are allowed."""
        return self._followed(schema).get("additionalProperties", True) is not False

    def _choices(self, schema: Schema) -> list[Schema]:
        """The schemas one of which a value must match, itself if there is one alone."""
        choices = schema.get("anyOf") or schema.get("oneOf") or [schema]
        return [self._followed(each) for each in choices]

    def _followed(self, schema: Any) -> Schema:
        """The schema that a reference leads to, with what stands beside the reference."""
        if not isinstance(schema, dict):
            return {}
        steps = 0
        while "$ref" in schema and steps < MAX_DEPTH:
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema, steps = {**resolved(schema["$ref"], self._root), **beside}, steps + 1
        only = schema.get("allOf")
        return {**self._followed(only[0]), **schema} if only and len(only) == 1 and steps < MAX_DEPTH else schema

    def _type(self, schema: Schema, depth: int = 0) -> str:
        if "const" in schema:
            return _value(schema["const"])
        if schema.get("enum"):
            return f"one of {', '.join(map(_value, schema['enum']))}"
        choices = schema.get("anyOf") or schema.get("oneOf")
        if choices and depth < MAX_DEPTH:
            return " or ".join(dict.fromkeys(self._type(self._followed(each), depth + 1) for each in choices))
        types = schema.get("type", "object" if "properties" in schema else [])
        names = [self._name(each, schema, depth) for each in ([types] if isinstance(types, str) else types)]
        return " or ".join(names) or ANY_VALUE

    def _name(self, type: str, schema: Schema, depth: int) -> str:
        if type == "array":
            return self._list(schema, depth)
        if type == "object":
            return self._object(schema, depth)
        if type == "string" and "format" in schema:
            return FORMATS.get(schema["format"], str(schema["format"]))
        return NAMES.get(type, type)

    def _list(self, schema: Schema, depth: int) -> str:
        number = _length(schema)
        if schema.get("prefixItems") and depth < MAX_DEPTH:
            return f"list of {', '.join(self._type(self._followed(each), depth + 1) for each in schema['prefixItems'])}"
        if not isinstance(schema.get("items"), dict) or depth >= MAX_DEPTH:
            return f"list of {number}values" if number else "list"
        item = self._type(self._followed(schema["items"]), depth + 1)
        return f"list of {number}{PLURALS.get(item, item)}" if item != ANY_VALUE else f"list of {number}values"

    def _object(self, schema: Schema, depth: int) -> str:
        values = schema.get("additionalProperties")
        if "properties" in schema or not isinstance(values, dict) or depth >= MAX_DEPTH:
            return NAMES["object"]
        of = self._type(self._followed(values), depth + 1)
        return f"object of {PLURALS.get(of, of)}"

    def _bounds(self, schema: Schema) -> str:
        """The bounds of a value, or else those of each item of a list."""
        own = [
            words.format(choice[name]) for choice in self._choices(schema) for name, words in BOUNDS if name in choice
        ]
        if not own and isinstance(schema.get("items"), dict):
            inner = self._bounds(self._followed(schema["items"]))
            return f"each {inner}" if inner else ""
        return ", ".join(dict.fromkeys(own))


def _length(schema: Schema) -> str:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if most is None:
        return f"at least {least} " if least else ""
    return f"{most} " if least == most else f"{least} to {most} "


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}…"
