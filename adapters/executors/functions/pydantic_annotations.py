"""Annotations in terms that pydantic knows, wherever in them something stands that it does not."""

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


def translated(annotation: Any, within: tuple[Any, ...] = ()) -> Any:
    """The same for pydantic: NumPy arrays, TypedDicts of Python 3.11, and 1.0 as the integer that it is in JSON.

    What stands `within` itself, as a tree does, is left to pydantic there.
    """

    def part(of: Any) -> Any:
        return translated(of, within)

    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation is int:
        return Annotated[int, _WHOLE]
    if is_array(annotation):
        return array_of(annotation)
    if is_typeddict(annotation) and annotation not in within:
        return _known(annotation, (*within, annotation))
    if origin in (Union, types.UnionType):
        return Union[tuple(each if each is int and float in parts else part(each) for each in parts)]  # noqa: UP007
    if origin in (Required, NotRequired):
        return part(parts[0])
    if origin is Annotated and parts[0] is int:
        return Annotated[(*parts, _WHOLE)]  # the last one is asked first
    if origin is Annotated:
        return Annotated[(part(parts[0]), *parts[1:])]
    if isinstance(origin, type) and parts:
        return types.GenericAlias(origin, tuple(map(part, parts)))
    return annotation


def typed_dict(name: str, members: Mapping[str, Any], **options: Any) -> Any:
    """A type for objects with these members."""
    return cast(Any, TypedDict)(name, dict(members), **options)


def _known(annotation: Any, within: tuple[Any, ...]) -> Any:
    """Before Python 3.12 pydantic refuses those of the standard library, and everywhere their members may need it."""
    members: dict[str, Any] = {}
    for name, hint in get_type_hints(annotation, include_extras=True).items():
        member = translated(hint, within)
        members[name] = Required[member] if name in annotation.__required_keys__ else NotRequired[member]
    made = typed_dict(annotation.__name__, members, closed=getattr(annotation, "__closed__", None))
    for name in ("__doc__", "__pydantic_config__"):
        if hasattr(annotation, name):
            setattr(made, name, getattr(annotation, name))
    return made


def _whole(value: Any) -> Any:
    return int(value) if type(value) is float and value.is_integer() else value


_WHOLE = BeforeValidator(_whole)
