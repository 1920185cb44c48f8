"""The schemas of a published type as components of the OpenAPI document, in a form that client generators can use.

Every object and every choice of values is a component with a name of its own, since generators make a class of each,
and would name it themselves. The document may allow more than the type: the API checks arguments by the type's schema.
"""

import json
from dataclasses import dataclass
from typing import Any

from application.json.schemas import or_null
from domain.task_type import TaskType
from entrypoints.http.openapi.pointers import resolved, steps
from entrypoints.http.openapi.portable import description, is_choice, is_object, portable
from entrypoints.http.openapi.unique_names import UniqueNames, pascal_case

SCHEMAS = "#/components/schemas/"
ANY_TASK = "Task"
MAX_REFERENCES = 10
Path = tuple[str, ...]
"""Names on the way to a schema, which make up its own."""

_LISTS_OF_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SCHEMAS_BY_NAME = frozenset({"properties", "patternProperties"})
_SCHEMAS = {"items": "item", "additionalProperties": "value", "contains": "item", "propertyNames": "name"}
"""Keywords whose value is a schema, and the word for it in names."""


@dataclass(frozen=True, slots=True)
class TypeComponents:
    """The components of a type.

    - `by_name`: the schema of each.
    - `arguments`: the name of the one of its arguments.
    - `task`: the name of the one of its tasks; that of any task if nothing is known of their results.
    """

    by_name: dict[str, Any]
    arguments: str
    task: str


def components(type: TaskType, names: UniqueNames) -> TypeComponents:
    """Make the components of a type."""
    arguments = _Components(json.loads(type.schema), (type.name, "arguments"), (type.name,), names)
    name = arguments.add_root()
    if type.result_schema is None:
        return TypeComponents(arguments.by_name, name, ANY_TASK)
    results = _Components(json.loads(type.result_schema), (type.name, "result"), (type.name, "result"), names)
    task = names.take(pascal_case(type.name, "task"), f"{type.name}\0task")
    schema = _task_with(or_null(results.convert_root()))
    return TypeComponents({**arguments.by_name, **results.by_name, task: schema}, name, task)


def _task_with(result: dict[str, Any]) -> dict[str, Any]:
    """Describe a task with a result of this schema."""
    more = {"type": "object", "properties": {"result": result}, "required": ["result"]}
    return {"allOf": [{"$ref": SCHEMAS + ANY_TASK}, more]}


class _Components:
    """The components of one schema of a type.

    - `by_name`: the schema of each component.
    - `_root`: the schema.
    - `_path`: the path of its own component.
    - `_models`: the beginning of the paths of the models in it.
    - `_named`: names of components by the pointer to their place in the schema.
    - `_open`: pointers to the places around the current one, up to the nearest object: only the members of an object
      can refer to what they are in.
    """

    def __init__(self, root: Any, path: Path, models: Path, names: UniqueNames) -> None:
        self.by_name: dict[str, Any] = {}
        self._root, self._path, self._models, self._names = root, path, models, names
        self._named: dict[str, str] = {}
        self._open: list[str] = []

    def add_root(self) -> str:
        """Add the component of the schema, and return its name."""
        reference = self._reference("#") or self._component(self._path, {})
        return str(reference["$ref"]).removeprefix(SCHEMAS)

    def convert_root(self) -> dict[str, Any]:
        """Convert the schema; to a reference to a component if a generator would make a class of it."""
        converted: dict[str, Any] = self._nested(self._root, self._path)
        return converted

    def _reference(self, pointer: Any) -> dict[str, Any]:
        """Refer to the component of a place. Anything is allowed where the pointer is of no use."""
        try:
            pointer, schema = self._followed(pointer)
        except (LookupError, TypeError, AttributeError):
            return {}
        if pointer in self._open:
            return {}
        if pointer in self._named:
            return {"$ref": SCHEMAS + self._named[pointer]}
        path = (*self._models, steps(pointer)[-1], "model") if steps(pointer) else self._path
        return self._component(path, schema, pointer)

    def _followed(self, pointer: Any) -> tuple[Any, Any]:
        """Follow a pointer over places that only refer to others, which generators do not understand."""
        for _ in range(MAX_REFERENCES):
            schema = resolved(pointer, self._root)
            if not isinstance(schema, dict) or "$ref" not in schema:
                return pointer, schema
            pointer = schema["$ref"]
        raise LookupError

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
