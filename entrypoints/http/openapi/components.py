"""Schemas of the published types as components of the OpenAPI document, each with a name of its own."""

import json
import re
from collections.abc import Callable
from typing import Any

from domain.task_type import TaskType

SCHEMAS = "#/components/schemas/"
_DEFINITION = re.compile("#/[$]defs/([^/]+)")
_VALUE_KEYWORDS = frozenset({"default", "const", "enum", "example", "examples"})
"""Keywords with a plain value, which is not a schema even if it looks like one."""


def components(type: TaskType) -> dict[str, Any]:
    """Make the components of a type: the schema of its arguments, and each definition in this schema."""
    own = _with_references(json.loads(type.schema), lambda reference: _component_reference(reference, type.name))
    definitions = own.pop("$defs", {}) if isinstance(own, dict) and isinstance(own.get("$defs", {}), dict) else {}
    schemas = {(type.name,): own} | {(type.name, name): each for name, each in definitions.items()}
    return {component(*names): _titled(schema, " ".join(names)) for names, schema in schemas.items()}


def component(*names: str) -> str:
    """Make the name of the component of a type, or of a definition in it."""
    return ".".join(("new", *map(identifier, names)))


def identifier(name: str) -> str:
    """Make an identifier with the characters that OpenAPI allows. Different names have different identifiers."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f".{ord(found[0]):x}.", name)


def _component_reference(reference: str, type: str) -> str:
    """Convert a reference inside the schema of a type to a reference inside the document."""
    if definition := _DEFINITION.fullmatch(reference):
        return SCHEMAS + component(type, definition[1])
    return f"{SCHEMAS}{component(type)}{reference[1:]}" if reference.startswith("#") else reference


def _with_references(schema: Any, convert: Callable[[str], str]) -> Any:
    """Copy a schema with its references converted: those of `$ref`, and those of a discriminator."""
    if isinstance(schema, list):
        return [_with_references(each, convert) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _member(key, value, convert) for key, value in schema.items()}


def _member(key: str, value: Any, convert: Callable[[str], str]) -> Any:
    if key in _VALUE_KEYWORDS:
        return value
    if key == "$ref" and isinstance(value, str):
        return convert(value)
    if key == "mapping" and isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return {name: convert(each) for name, each in value.items()}
    return _with_references(value, convert)


def _titled(schema: Any, title: str) -> Any:
    """Set the title of a schema. Client generators name classes by it, so that two types may both define a `Vector`."""
    return schema | {"title": title} if isinstance(schema, dict) else schema
