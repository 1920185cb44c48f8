"""The schema of a published type as components of the OpenAPI document, in a form that client generators can use.

Every object and every choice of values is a component with a name of its own, since generators make a class of each,
and would name it themselves. The document may allow more than the type: the API checks arguments by the type's schema.
"""

import json
from typing import Any

from domain.task_type import TaskType
from entrypoints.http.openapi.pointers import resolved, steps
from entrypoints.http.openapi.portable import description, is_choice, is_object, portable
from entrypoints.http.openapi.unique_names import UniqueNames, pascal_case

SCHEMAS = "#/components/schemas/"
Path = tuple[str, ...]
"""Names on the way to a schema, which make up its own."""

_LISTS_OF_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SCHEMAS_BY_NAME = frozenset({"properties", "patternProperties"})
_SCHEMAS = {"items": "item", "additionalProperties": "value", "contains": "item", "propertyNames": "name"}
"""Keywords whose value is a schema, and the word for it in names."""


def components(type: TaskType, names: UniqueNames) -> dict[str, Any]:
    """Make the components of a type by name. The first one has the arguments."""
    return _Components(type, names).by_name


class _Components:
    """The components of one type.

    - `by_name`: the schema of each component.
    - `_named`: names of components by the pointer to their place in the schema of the type.
    - `_open`: pointers to the places around the current one, up to the nearest object: only the members of an object
      can refer to what they are in.
    """

    def __init__(self, type: TaskType, names: UniqueNames) -> None:
        self.by_name: dict[str, Any] = {}
        self._type, self._names, self._root = type.name, names, json.loads(type.schema)
        self._named: dict[str, str] = {}
        self._open: list[str] = []
        self._reference("#")

    def _reference(self, pointer: Any) -> dict[str, Any]:
        """Refer to the component of a place. Anything is allowed where the pointer is of no use."""
        try:
            schema = resolved(pointer, self._root)
        except (LookupError, TypeError, AttributeError):
            return {}
        if pointer in self._open:
            return {}
        if pointer in self._named:
            return {"$ref": SCHEMAS + self._named[pointer]}
        path = (self._type, steps(pointer)[-1], "model") if steps(pointer) else (self._type, "arguments")
        return self._component(path, schema, pointer)

    def _component(self, path: Path, schema: Any, pointer: str | None = None) -> dict[str, Any]:
        """Add a component, and refer to it."""
        name = self._names.take(pascal_case(*path), "\0".join(path))
        self.by_name[name] = {}
        around = self._open
        if pointer is not None:
            self._named[pointer] = name
            self._open = [*around, pointer]
        if is_object(schema):
            self._open = []
        self.by_name[name] = self._converted(schema, path)
        self._open = around
        return {"$ref": SCHEMAS + name}

    def _nested(self, schema: Any, path: Path) -> Any:
        """Convert a schema inside another: to a component, if a generator would make a class of it."""
        if is_object(schema) or is_choice(schema):
            return self._component(path, schema)
        return self._converted(schema, path)

    def _converted(self, schema: Any, path: Path) -> Any:
        """Convert a schema and the schemas inside it."""
        if not isinstance(schema, dict):
            return {}
        if "$ref" in schema:
            return description(schema) | self._reference(schema["$ref"])
        return {key: self._member(key, value, path) for key, value in portable(schema).items()}

    def _member(self, key: str, value: Any, path: Path) -> Any:
        if key in _SCHEMAS and isinstance(value, dict):
            return self._nested(value, (*path, _SCHEMAS[key]))
        if key in _LISTS_OF_SCHEMAS and isinstance(value, list):
            return [self._nested(each, path) for each in value]
        if key in _SCHEMAS_BY_NAME and isinstance(value, dict):
            return {name: self._nested(each, (*path, name)) for name, each in value.items()}
        if key == "discriminator" and isinstance(value, dict):
            return self._discriminator(value)
        return value

    def _discriminator(self, discriminator: dict[str, Any]) -> dict[str, Any]:
        mapping = {value: self._reference(pointer) for value, pointer in discriminator.get("mapping", {}).items()}
        return discriminator | {"mapping": {value: each["$ref"] for value, each in mapping.items() if each}}
