"""The JSON Schema of the results of a function, from its annotation: flask_tasks/json_form.py in terms of types.

A part of the annotation that is unknown, or whose values have no form in JSON, allows anything. Bounds are left out.
"""

import re
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, MutableSequence, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from inspect import cleandoc
from itertools import chain, count
from os import PathLike
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

from typing_extensions import ReadOnly

from adapters.executors.functions import hints
from adapters.executors.functions.numpy_annotations import is_array
from adapters.executors.functions.result_arrays import array_schema, scalar_schema
from application.json.schemas import or_null, types
from application.json.text import dump
from flask_tasks.json_form import NoForm, json_form

Schema = dict[str, Any]

_NUMBER: Schema = {"type": ["number", "null"]}  # null stands for NaN, and for an infinity
_TEXT: Schema = {"type": "string"}
_SCALARS: Mapping[type, Schema] = {
    NoneType: {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: _NUMBER,
    str: _TEXT,
    Decimal: {"type": ["string", "null"], "format": "decimal"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "format": "time"},
    timedelta: {"type": "string", "format": "duration"},
    UUID: {"type": "string", "format": "uuid"},
}
"""The schemas of classes, and of classes derived from them."""
_UNIONS = (Union, UnionType)
_QUALIFIERS = (ClassVar, Final, NotRequired, ReadOnly, Required)


def result_schema(function: Callable[..., Any]) -> str | None:
    """The schema of the results as text; None if the annotation says nothing of them, or cannot be read."""
    try:
        schema = _Schemas().whole(hints.result(function))
        text = dump(schema)
        text.encode()
    except Exception:  # of any kind, since an annotation is the user's code
        return None
    return text if schema else None


class _Schemas:
    """The schemas of one annotation and its parts.

    - `_definitions`: the schemas of the classes with members, by name. They may refer to each other.
    - `_pointers`: pointers to them.
    - `_open`: the aliases around the current part. One that contains itself allows anything there.
    """

    def __init__(self) -> None:
        self._definitions: dict[str, Schema] = {}
        self._pointers: dict[type, str] = {}
        self._open: list[Any] = []

    def whole(self, annotation: Any) -> Schema:
        """The schema of an annotation, with the definitions that it refers to."""
        schema = self._of(annotation)
        return schema | {"$defs": self._definitions} if schema and self._definitions else schema

    def _of(self, annotation: Any) -> Schema:
        origin, parts = get_origin(annotation) or annotation, get_args(annotation)
        if origin is None:
            return _SCALARS[NoneType]
        if origin in _UNIONS:
            return _any_of(map(self._of, parts))
        if origin is Literal:
            return _one_of(parts)
        if origin is Annotated:
            return self._of_annotated(*parts)
        if origin in _QUALIFIERS:
            return self._of(parts[0])
        if is_array(annotation):
            return array_schema(annotation)
        if isinstance(origin, type):
            return self._of_class(origin, parts)
        return self._of_alias(annotation, origin, parts)

    def _of_annotated(self, annotation: Any, *metadata: Any) -> Schema:
        schema = self._of(annotation)
        return {"type": "number"} if schema == _NUMBER and any(map(_excludes_nan, metadata)) else schema

    def _of_alias(self, annotation: Any, origin: Any, parts: tuple[Any, ...]) -> Schema:
        """The schema of a `type` statement or a NewType."""
        if hasattr(annotation, "__supertype__"):
            return self._of(annotation.__supertype__)
        if not hasattr(origin, "__value__") or origin in self._open:
            return {}
        self._open.append(origin)
        schema = self._of(origin.__value__[parts] if parts else origin.__value__)
        self._open.pop()
        return schema

    def _of_class(self, kind: type, parts: tuple[Any, ...]) -> Schema:
        """The schema of the instances of a class."""
        if issubclass(kind, Enum):
            return _SCALARS[int] if issubclass(kind, Flag) else _one_of(kind)
        scalar = next((_SCALARS[each] for each in kind.__mro__ if each in _SCALARS), None)
        if scalar or issubclass(kind, PathLike):
            return scalar or _TEXT
        if is_typeddict(kind):
            return self._reference(kind, self._typed_dict)
        if issubclass(kind, Counter):
            return _object_of(_SCALARS[int])
        if issubclass(kind, dict | Mapping):
            return _object_of(self._of(parts[1]) if len(parts) == 2 else {})
        if hasattr(kind, "_fields") and issubclass(kind, tuple):
            return self._reference(kind, self._named_tuple)
        if issubclass(kind, tuple) and parts and Ellipsis not in parts:
            return _tuple_of([*map(self._of, parts)])
        if issubclass(kind, list | tuple | deque) or kind in (Sequence, MutableSequence):
            return _list_of(self._of(parts[0]) if parts else {})
        if is_dataclass(kind):
            return self._reference(kind, self._dataclass)
        return self._of_library(kind)

    def _of_library(self, kind: type) -> Schema:
        # A class can be of a library only where that was imported, so it need not be imported here.
        numpy, pydantic, addresses = map(sys.modules.get, ("numpy", "pydantic", "ipaddress"))
        if pydantic and issubclass(kind, pydantic.BaseModel):
            return self._reference(kind, self._model)
        if numpy and issubclass(kind, numpy.generic):
            return scalar_schema(kind)
        return _TEXT if addresses and issubclass(kind, addresses._IPAddressBase) else {}

    def _reference(self, kind: type, schema_of: Callable[[type], Schema]) -> Schema:
        """A reference to the definition of a class, which is made at the first one."""
        if kind not in self._pointers:
            name = self._free_name(kind.__name__)
            self._pointers[kind] = f"#/$defs/{name}"
            self._definitions[name] = {}
            self._definitions[name] = _description(kind) | schema_of(kind)
        return {"$ref": self._pointers[kind]}

    def _free_name(self, name: str) -> str:
        stem = re.sub("[^A-Za-z0-9_]", "_", name)
        names = chain([stem], (f"{stem}{number}" for number in count(2)))
        return next(each for each in names if each not in self._definitions)

    def _typed_dict(self, kind: Any) -> Schema:
        members = _members(kind)
        optional = {name for name, each in members.items() if get_origin(each) is NotRequired}
        return self._object(members, (kind.__required_keys__ & members.keys()) - optional)

    def _dataclass(self, kind: Any) -> Schema:
        members, names = _members(kind), [each.name for each in fields(kind)]
        return self._object({name: members.get(name, Any) for name in names}, names)

    def _object(self, members: Mapping[str, Any], required: Iterable[str]) -> Schema:
        # It may have further members, since an instance may be of a derived class.
        properties = {name: self._of(each) for name, each in members.items()}
        return {"type": "object", "properties": properties, "required": sorted(required, key=[*members].index)}

    def _named_tuple(self, kind: Any) -> Schema:
        members = _members(kind)
        return _tuple_of([self._of(members.get(name, Any)) for name in kind._fields])

    def _model(self, kind: Any) -> Schema:
        from adapters.executors.functions.result_models import model_schema

        schema = model_schema(kind, self._pointers[kind])
        # The definition of a model that contains itself is one inside it.
        self._pointers[kind] = schema.pop("$ref", self._pointers[kind])
        return schema


def _members(kind: type) -> Mapping[str, Any]:
    """The resolved annotations of a class; none if one of them cannot be resolved."""
    try:
        return get_type_hints(kind, include_extras=True)
    except Exception:
        return {}


def _description(kind: type) -> Schema:
    """The docstring of a class, unless it was made for a dataclass or a named tuple."""
    text = kind.__doc__ or ""
    return {} if not text or text.startswith(f"{kind.__name__}(") else {"description": cleandoc(text)}


def _excludes_nan(metadata: Any) -> bool:
    """Whether an annotation has `allow_inf_nan=False`, as pydantic.FiniteFloat."""
    parts = getattr(metadata, "metadata", None)
    within = parts if isinstance(parts, list) else []
    return any(getattr(each, "allow_inf_nan", None) is False for each in (metadata, *within))


def _any_of(schemas: Iterable[Schema]) -> Schema:
    """The schema of a union, in which plain types are one list."""
    parts = [*schemas]
    if {} in parts:
        return {}
    plain = [type for each in parts if each.keys() == {"type"} for type in types(each) if type != "null"]
    choices = [_of_types(plain)] if plain else []
    choices += [each for each in parts if each.keys() != {"type"}]
    schema = choices[0] if len(choices) == 1 else {"anyOf": choices}
    return or_null(schema) if any("null" in types(each) for each in parts) else schema


def _of_types(names: Iterable[str]) -> Schema:
    first, *others = dict.fromkeys(names)
    return {"type": [first, *others] if others else first}


def _one_of(values: Iterable[Any]) -> Schema:
    try:
        forms = [json_form(each) for each in values]
    except NoForm:
        return {}
    return {"enum": forms} if forms else {}


def _object_of(values: Schema) -> Schema:
    return {"type": "object"} | ({"additionalProperties": values} if values else {})


def _list_of(items: Schema) -> Schema:
    return {"type": "array"} | ({"items": items} if items else {})


def _tuple_of(items: list[Schema]) -> Schema:
    bounds = {"minItems": len(items), "maxItems": len(items)}
    return {"type": "array"} | ({"prefixItems": items} if items else {}) | bounds
