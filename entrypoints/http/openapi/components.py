"""The schemas of published types as components of the OpenAPI document, with names of their own."""

import json
import re
from collections.abc import Callable
from typing import Any

from domain.task_type import TaskType

SCHEMAS = "#/components/schemas/"
_DEFINITION = re.compile("#/[$]defs/([^/]+)")
_VALUES = frozenset({"default", "const", "enum", "example", "examples"})
"""What stands there is no schema, whatever it looks like."""


def components(type: TaskType) -> dict[str, Any]:
    """The schema of its arguments, and each that this one defines for itself."""
    own = _referring(json.loads(type.schema), lambda reference: _moved(reference, type.name))
    definitions = own.pop("$defs", {}) if isinstance(own, dict) else {}
    schemas = {(type.name,): own} | {(type.name, name): each for name, each in definitions.items()}
    return {component(*names): _titled(schema, " ".join(names)) for names, schema in schemas.items()}


def component(*names: str) -> str:
    """The name of the schema of a type, or of one that it defines."""
    return ".".join(("new", *map(identifier, names)))


def identifier(name: str) -> str:
    """Made of characters that names in the document may have, and different for different names."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f".{ord(found[0]):x}.", name)


def _moved(reference: str, type: str) -> str:
    """Where the document has what the schema of that type refers to."""
    if definition := _DEFINITION.fullmatch(reference):
        return SCHEMAS + component(type, definition[1])
    return f"{SCHEMAS}{component(type)}{reference[1:]}" if reference.startswith("#") else reference


def _referring(schema: Any, moved: Callable[[str], str]) -> Any:
    """The same schema with its references moved: those of `$ref`, and those by which a discriminator tells apart."""
    if isinstance(schema, list):
        return [_referring(each, moved) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _member(key, value, moved) for key, value in schema.items()}


def _member(key: str, value: Any, moved: Callable[[str], str]) -> Any:
    if key in _VALUES:
        return value
    if key == "$ref" and isinstance(value, str):
        return moved(value)
    if key == "mapping" and isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return {name: moved(each) for name, each in value.items()}
    return _referring(value, moved)


def _titled(schema: Any, title: str) -> Any:
    """Generators name classes by titles: of two types that know a `Vector` each has its own."""
    return schema | {"title": title} if isinstance(schema, dict) else schema
