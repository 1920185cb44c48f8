"""Parts of JSON Schemas, made of others."""

from collections.abc import Mapping
from typing import Any

NULL = {"type": "null"}


def types(schema: Mapping[str, Any]) -> list[str]:
    """The types that the schema names."""
    named = schema.get("type", [])
    return named if isinstance(named, list) else [named]


def or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of the values of this one, and of null."""
    choices = schema.get("anyOf")
    if not schema or "null" in types(schema):
        return {**schema}
    if "type" in schema and not schema.keys() & {"const", "enum"}:
        return {**schema, "type": [*types(schema), "null"]}
    if isinstance(choices, list) and len(schema) == 1:
        return {"anyOf": choices if NULL in choices else [*choices, NULL]}
    return {"anyOf": [schema, NULL]}
