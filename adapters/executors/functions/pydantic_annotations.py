"""Translate annotations for pydantic, including the parts of them that it does not support by itself."""

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

from typing_extensions import TypedDict

from adapters.executors.functions.arrays import array_for_pydantic
from adapters.executors.functions.numpy_annotations import is_array


def for_pydantic(annotation: Any, within: tuple[Any, ...] = ()) -> Any:
    """The annotation with NumPy arrays and TypedDicts of Python 3.11.

    `within` are the TypedDicts around this annotation; one that contains itself, as a tree does, is left as it is.
    """

    def part(of: Any) -> Any:
        return for_pydantic(of, within)

    origin, parts = get_origin(annotation), get_args(annotation)
    if is_array(annotation):
        return array_for_pydantic(annotation)
    if is_typeddict(annotation) and annotation not in within:
        return _typed_dict_for_pydantic(annotation, (*within, annotation))
    if origin in (Union, types.UnionType):
        return Union[tuple(map(part, parts))]  # noqa: UP007
    if origin in (Required, NotRequired):
        return part(parts[0])
    if origin is Annotated:
        return Annotated[(part(parts[0]), *parts[1:])]
    if isinstance(origin, type) and parts:
        return types.GenericAlias(origin, tuple(map(part, parts)))
    return annotation


def typed_dict(name: str, members: Mapping[str, Any], **options: Any) -> Any:
    """A type for objects with these members."""
    return cast(Any, TypedDict)(name, dict(members), **options)


def _typed_dict_for_pydantic(annotation: Any, within: tuple[Any, ...]) -> Any:
    """The TypedDict with translated members; before Python 3.12 pydantic refuses those of the standard library."""
    members: dict[str, Any] = {}
    for name, hint in get_type_hints(annotation, include_extras=True).items():
        member = for_pydantic(hint, within)
        members[name] = Required[member] if name in annotation.__required_keys__ else NotRequired[member]
    translated = typed_dict(annotation.__name__, members, closed=getattr(annotation, "__closed__", None))
    for name in ("__doc__", "__pydantic_config__"):
        if hasattr(annotation, name):
            setattr(translated, name, getattr(annotation, name))
    return translated
