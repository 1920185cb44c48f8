"""Annotations in terms that pydantic knows, wherever in them something stands that it does not."""

import sys
import types
from collections.abc import Mapping
from typing import (
    Annotated,
    Any,
    NotRequired,
    Required,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from pydantic import BeforeValidator
from typing_extensions import TypedDict

from adapters.executors.functions.arrays import array_of, is_array


def translated(annotation: Any) -> Any:
    """The same for pydantic: NumPy arrays, TypedDicts of Python 3.11, and 1.0 as the integer that it is in JSON."""
    if annotation is int:
        return Annotated[int, _WHOLE]
    if is_array(annotation):
        return array_of(annotation)
    if is_typeddict(annotation):
        return _known(annotation)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return Union[tuple(each if each is int and float in parts else translated(each) for each in parts)]  # noqa: UP007
    if origin in (Required, NotRequired):
        return translated(parts[0])
    if origin is Annotated and parts[0] is int:
        return Annotated[(*parts, _WHOLE)]  # the last one is asked first
    if origin is Annotated:
        return Annotated[(translated(parts[0]), *parts[1:])]
    if isinstance(origin, type) and parts:
        return types.GenericAlias(origin, tuple(map(translated, parts)))
    return annotation


def typed_dict(name: str, members: Mapping[str, Any], **options: Any) -> Any:
    """A type for objects with these members."""
    return cast(Any, TypedDict)(name, dict(members), **options)


def _known(annotation: Any) -> Any:
    # Before Python 3.12 pydantic refuses those of the standard library.
    if sys.version_info >= (3, 12) or type(annotation).__module__ != "typing":
        return annotation
    members: dict[str, Any] = {}
    for name, hint in get_type_hints(annotation, include_extras=True).items():
        member = translated(hint)
        members[name] = Required[member] if name in annotation.__required_keys__ else NotRequired[member]
    return typed_dict(annotation.__name__, members)


def _whole(value: Any) -> Any:
    return int(value) if type(value) is float and value.is_integer() else value


_WHOLE = BeforeValidator(_whole)
