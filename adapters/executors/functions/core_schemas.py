"""Rewrite the core schema that pydantic makes of an annotation, so that it takes exactly what its JSON Schema allows.

Pydantic's strict mode differs from JSON Schema: there 1.0 is an integer and equals 1, and a pattern is JavaScript's.
Dates and the like are read as the API reads them. Keys, which are texts, may stand for numbers; the items of a set may
be repeated.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import isfinite
from typing import Any, cast

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from application.json import formats, text_limits
from application.json.text import canonical, dump
from flask_tasks.json_form import NoForm, json_form

Node = dict[str, Any]
Convert = Callable[[Any], Any]
Rewrites = Mapping[str, Callable[[Node], Node]]

INTEGER_KEY = r"^(0|-?[1-9][0-9]*)$"
NUMBER_KEY = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"

_NO_SCHEMAS = frozenset(
    {"metadata", "serialization", "default", "expected", "members", "config", "custom_error_context"}
)
"""Members of a core schema that may look like core schemas, and are none."""
_LIMITS_OF_TEXTS = frozenset({"max_digits", "decimal_places", "multiple_of"})
_SPACES = r"\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}"
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_JAVASCRIPT = {
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[A-Za-z0-9_]",
    r"\W": "[^A-Za-z0-9_]",
    r"\s": f"[{_SPACES}]",
    r"\S": f"[^{_SPACES}]",
}
"""The classes of characters that JavaScript and Rust, in which pydantic matches, read differently."""
_SCALAR = core_schema.nullable_schema(
    core_schema.union_schema(
        [core_schema.str_schema(), core_schema.bool_schema(), core_schema.int_schema(), core_schema.float_schema()]
    )
)
_MISFIT = object()
"""A value that pydantic refuses as an enum and as a literal, with the values that it would take."""


def fit_for_json(schema: CoreSchema) -> CoreSchema:
    """The core schema that takes the values which the JSON Schema of this one allows."""
    definitions = {each["ref"]: each for each in cast(Node, schema).get("definitions", ()) if "ref" in each}
    return cast(CoreSchema, _Rewriter(definitions).rewritten(schema, VALUES))


def sent_values(node: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """The values of an enum or a literal: each as JSON sends it, and as the function receives it."""
    try:
        return [(json_form(each), each) for each in node.get("members") or node["expected"]]
    except NoForm:
        return []


class _Rewriter:
    """Rewrites core schemas, the innermost first. `definitions` are the parts that they refer to."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def rewritten(self, part: Any, rewrites: Rewrites) -> Any:
        if isinstance(part, list | tuple):
            return type(part)(self.rewritten(each, rewrites) for each in part)
        if not isinstance(part, dict):
            return part
        if not isinstance(part.get("type"), str):  # the fields of a class, or the choices of a union, by name
            return {name: self.rewritten(each, rewrites) for name, each in part.items()}
        if rewrites is KEYS:
            part = self._enum_in_place(part)
        node = {name: self._member(part, name, rewrites) for name in part}
        return rewrites[node["type"]](node) if node["type"] in rewrites else node

    def _member(self, node: Node, name: str, rewrites: Rewrites) -> Any:
        if name in _NO_SCHEMAS:
            return node[name]
        if name == "keys_schema":
            return self.rewritten(node[name], KEYS)
        if name == "steps":  # only the first of them sees JSON
            return [self.rewritten(node[name][0], rewrites), *node[name][1:]]
        if name == "choices" and any(_is("float", each) for each in node[name]):
            # Of an integer and a float, 1.0 is the float.
            return [each if _is("int", each) else self.rewritten(each, rewrites) for each in node[name]]
        return self.rewritten(node[name], rewrites)

    def _enum_in_place(self, node: Node) -> Node:
        """The enum that the node refers to, since as a key it has another form than elsewhere."""
        found = self._definitions.get(node.get("schema_ref", ""), node)
        return _unnamed(found) if found["type"] == "enum" else node


def _is(type: str, node: Any) -> bool:
    return isinstance(node, dict) and node.get("type") == type


def _unnamed(node: Node) -> Node:
    return {name: part for name, part in node.items() if name != "ref"}


def _before(convert: Convert, node: Node) -> Node:
    """The node, for what `convert` makes of the JSON value."""
    return _around(core_schema.no_info_before_validator_function, convert, node)


def _after(convert: Convert, node: Node) -> Node:
    """What `convert` makes of the value of the node."""
    return _around(core_schema.no_info_after_validator_function, convert, node)


def _around(wrap: Callable[[Convert, CoreSchema], Any], convert: Convert, node: Node) -> Node:
    return {**wrap(convert, cast(CoreSchema, _unnamed(node)))} | ({"ref": node["ref"]} if "ref" in node else {})


def _integral(value: Any) -> Any:
    # By its digits 1e23 is the integer 10**23; the double is another one.
    return int(Decimal(repr(value))) if type(value) is float and value.is_integer() else value


def _read(format: str, value: Any) -> Any:
    """What the text stands for. Another text, or no text, is left for pydantic to refuse."""
    try:
        return formats.read(format, value) if isinstance(value, str) else value
    except ValueError:
        return value


def _decimal(value: Any) -> Any:
    return Decimal(repr(value)) if type(value) in (int, float) else _read("decimal", value)


def _fraction(value: Any) -> Any:
    return Fraction(repr(value)) if type(value) in (int, float) else _read("fraction", value)


def _limited(convert: Convert, format: str, node: Node) -> Node:
    """A value that is read from a text, and has the limits that pydantic would check by rules of its own."""
    given = {name: node[name] for name in text_limits.LIMITS if name in node}
    if not given:
        return _before(convert, node)
    limits = {"format": format} | {name: json_form(limit) for name, limit in given.items()}
    # The bounds of a decimal stay, since they are also those of a number.
    names = _LIMITS_OF_TEXTS if format == "decimal" else text_limits.LIMITS
    bare = {name: part for name, part in node.items() if name not in names}

    def check(value: Any) -> Any:
        if not text_limits.keeps(limits, value):
            raise PydanticCustomError("limits", "Input should be {limits}", {"limits": text_limits.described(limits)})
        return value

    return _after(check, _before(convert, _published(bare, **{text_limits.KEYWORD: limits})))


def _uuid(node: Node) -> Node:
    return _before(partial(_read, f"uuid{node.get('version', '')}"), node)


def _str(node: Node) -> Node:
    """A text whose pattern means what it means in JSON Schema: `\\d`, `\\w` and `\\s` are those of JavaScript."""
    pattern = node.get("pattern")
    if not isinstance(pattern, str):
        return node
    translated = _ESCAPED.sub(lambda found: _JAVASCRIPT.get(found[0], found[0]), pattern)
    return _published(node, pattern=pattern) | {"pattern": translated}


def _float(node: Node) -> Node:
    """A number whose decimal digits are a multiple, where pydantic allows for errors of rounding."""
    divisor = node.get("multiple_of")
    if divisor is None:
        return node
    exact = Fraction(repr(divisor))

    def check(value: float) -> float:
        if isfinite(value) and Fraction(repr(value)) % exact:
            raise PydanticCustomError("multiple_of", "Input should be a multiple of {of}", {"of": divisor})
        return value

    number = _published(node, multipleOf=divisor)
    del number["multiple_of"]
    return _after(check, number)


def _named_tuple(node: Node) -> Node:
    """A list, of which pydantic would also take an object."""
    fields = [each["schema"] for each in node["fields"]]
    required = sum(each["type"] != "default" for each in fields)
    items = _published({"type": "tuple", "items_schema": fields}, minItems=required)
    return _after(lambda values: node["cls"](*values), items | {"ref": node["ref"]} if "ref" in node else items)


def _published(node: Node, **members: Any) -> Node:
    """The node with these members in its JSON Schema."""
    metadata = node.get("metadata", {})
    updates = {**metadata.get("pydantic_js_updates", {}), **members}
    return {**node, "metadata": {**metadata, "pydantic_js_updates": updates}}


def _bytes(node: Node) -> Node:
    """A text, and its lengths are those of the text."""
    return _after(str.encode, {**node, "type": "str"})


def _choice(node: Node) -> Node:
    """An enum or a literal, found by the text of its JSON value: 1 and 1.0 are the same, 1 and true are not."""
    values = {canonical(sent): received for sent, received in reversed(sent_values(node))}
    return _before(lambda value: values.get(canonical(value), _MISFIT), node) if values else node


def _collection(make: Callable[[list[Any]], Any], node: Node) -> Node:
    """A list of which `make` makes the collection. Its lengths are those of the list."""

    def collect(items: list[Any]) -> Any:
        try:
            return make(items)
        except TypeError as error:
            raise PydanticCustomError("collection", "{why}", {"why": str(error)}) from None

    return _after(collect, {**node, "type": "list"})


def _set(make: Callable[[list[Any]], Any], node: Node) -> Node:
    """A set of anything cannot hold lists or objects."""
    is_of_anything = node.get("items_schema", {"type": "any"})["type"] == "any"
    return _collection(make, {**node, "items_schema": _SCALAR} if is_of_anything else node)


def _key(text: Any, convert: Convert, node: Node) -> Node:
    """A key: a text that fits, for which the node receives what `convert` makes of it."""
    return {**core_schema.chain_schema([text, cast(CoreSchema, _before(convert, node))])}


def _choice_key(node: Node) -> Node:
    values = {sent if isinstance(sent, str) else dump(sent): received for sent, received in sent_values(node)}
    return _key(core_schema.literal_schema([*values]), values.get, node) if values else node


def _nullable_key(node: Node) -> Node:
    return {**core_schema.union_schema([node["schema"], cast(CoreSchema, KEYS["none"]({"type": "none"}))])}


VALUES: Rewrites = {
    "str": _str,
    "float": _float,
    "int": partial(_before, _integral),
    "date": partial(_limited, partial(_read, "date"), "date"),
    "datetime": partial(_limited, partial(_read, "date-time"), "date-time"),
    "time": partial(_limited, partial(_read, "time"), "time"),
    "timedelta": partial(_limited, partial(_read, "duration"), "duration"),
    "uuid": _uuid,
    "decimal": partial(_limited, _decimal, "decimal"),
    "fraction": partial(_limited, _fraction, "fraction"),
    "bytes": _bytes,
    "enum": _choice,
    "literal": _choice,
    "set": partial(_set, set),
    "frozenset": partial(_set, frozenset),
    "named-tuple": _named_tuple,
    "generator": partial(_collection, iter),
}
"""How a value is rewritten, by the type of its node."""

KEYS: Rewrites = {
    **VALUES,
    "int": partial(_key, core_schema.str_schema(pattern=INTEGER_KEY), int),
    "float": partial(_key, core_schema.str_schema(pattern=NUMBER_KEY), float),
    "bool": partial(_key, core_schema.literal_schema(["true", "false"]), "true".__eq__),
    "none": partial(_key, core_schema.literal_schema(["null"]), lambda text: None),
    "nullable": _nullable_key,
    "enum": _choice_key,
    "literal": _choice_key,
}
"""How a key is rewritten."""
