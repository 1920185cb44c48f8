"""A JSON Schema in words that client generators understand. It allows all that it allowed before, and maybe more."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

MAX_DEFAULT_CHARACTERS = 100
_NAMES_OF_TYPES = {
    bool: "boolean", str: "string", int: "integer", float: "number", list: "array", dict: "object", type(None): "null",
}  # fmt: skip
_LEFT_OUT = frozenset({"$defs", "$id", "$schema", "default", "else", "if", "not", "then", "title"})
"""Keywords that generators ignore or stumble over. Clients would send a `default`, and TypeScript would require it."""


def portable(schema: Mapping[str, Any]) -> Schema:
    """Rewrite a schema, but not the schemas inside it."""
    kept = {key: value for key, value in schema.items() if key not in _LEFT_OUT}
    return _object(_array(_choices(_typed(kept | description(schema)))))


def description(schema: Mapping[str, Any]) -> Schema:
    """Describe a schema with the default that it has; nothing if there is nothing to say."""
    sentences = [schema["description"]] if isinstance(schema.get("description"), str) else []
    default = json.dumps(schema.get("default"), ensure_ascii=False)
    if "default" in schema and len(default) <= MAX_DEFAULT_CHARACTERS:
        sentences.append(f"The default is {default}.")
    return {"description": " ".join(sentences)} if sentences else {}


def is_object(schema: Any) -> bool:
    """Whether the schema describes an object and nothing else."""
    return isinstance(schema, dict) and "$ref" not in schema and schema.get("type") == "object"


def is_choice(schema: Any) -> bool:
    """Whether the schema is a list of texts or of whole numbers, of which generators make an enum."""
    if not isinstance(schema, dict) or not isinstance(schema.get("enum"), list):
        return False
    return {_type_of(value) for value in schema["enum"]} in ({"string"}, {"integer"})


def _typed(schema: Schema) -> Schema:
    """Leave out types that do not exist, and add the type that properties imply."""
    given = schema.pop("type", "object" if "properties" in schema else [])
    types = [each for each in (given if isinstance(given, list) else [given]) if each in _NAMES_OF_TYPES.values()]
    return schema | {"type": types if len(types) > 1 else types[0]} if types else schema


def _choices(schema: Schema) -> Schema:
    """Let each choice have values of one type."""
    values = schema.pop("enum", None)
    if not isinstance(values, list) or not values:
        return schema
    schema.pop("type", None)
    choices = [choice for kind in dict.fromkeys(map(_type_of, values)) for choice in _choices_of(kind, values)]
    return schema | (choices[0] if len(choices) == 1 else {"anyOf": choices})


def _choices_of(kind: str, values: Sequence[Any]) -> Iterator[Schema]:
    own = [value for value in values if _type_of(value) == kind]
    match kind:
        case "string":
            yield {"type": kind, "enum": own} | _names_of_choices(own)
        case "integer":
            yield {"type": kind, "enum": own}
        case "number":
            yield from ({"type": kind, "const": value} for value in own)
        case _:
            yield {"type": kind}


def _names_of_choices(texts: Sequence[str]) -> Schema:
    """Name the choices, unless the letters of each make a name that no other has."""
    names = [re.sub("[^A-Z0-9]+", "_", text.upper()).strip("_") for text in texts]
    are_distinct = len({name.replace("_", "") for name in names}) == len(names)
    if are_distinct and all(name[:1].isalpha() for name in names):
        return {}
    words = [name if name[:1].isalpha() else f"VALUE_{name}".rstrip("_") for name in names]
    return {"x-enum-varnames": [f"{word}_{number}" for number, word in enumerate(words)]}


def _type_of(value: Any) -> str:
    return _NAMES_OF_TYPES[type(value)]


def _array(schema: Schema) -> Schema:
    """Let every array have items, which may be anything."""
    if not isinstance(schema.get("items"), dict):
        schema.pop("items", None)
    if "array" not in _types(schema) or "items" in schema or schema.get("prefixItems"):
        return schema
    return schema | {"items": {}}


def _object(schema: Schema) -> Schema:
    """Let an object say whether it has further members, whose type TypeScript cannot restrict beside named ones."""
    if "object" not in _types(schema):
        return schema
    members, is_patterned = schema.pop("properties", None), "patternProperties" in schema
    named = {name: each for name, each in members.items() if each is not False} if isinstance(members, dict) else {}
    others = schema.pop("additionalProperties", None if named else True)
    if others == {} or (others and named) or is_patterned:
        others = True
    found = {"properties": named or None, "additionalProperties": others}
    return schema | {key: value for key, value in found.items() if value is not None}


def _types(schema: Schema) -> Sequence[str]:
    types = schema.get("type", [])
    return types if isinstance(types, list) else [types]
