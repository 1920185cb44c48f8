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
    if "null" in types(schema) or not schema:
        return {**schema}
    if "type" in schema and not schema.keys() & {"const", "enum"}:
        return {**schema, "type": [*types(schema), "null"]}
    if schema.keys() == {"anyOf"}:
        return {"anyOf": [*schema["anyOf"], NULL]}
    return {"anyOf": [schema, NULL]}
