"""Checking and converting what was sent by the annotations of a function, with pydantic."""

import inspect
import sys
import types
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
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

from pydantic import Field, PydanticUserError, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypedDict

from adapters.executors.functions.arrays import array_of, is_array
from adapters.executors.functions.checker import InvalidArguments, default_of

MOST = 10
"""So many places that do not fit are named."""


class NoSchema(Exception):
    """An annotation has no JSON form; the message says why."""


class Annotations:
    """What one annotation says of an object."""

    def __init__(self, annotation: Any) -> None:
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(_for_pydantic(annotation))
            self._schema = self._adapter.json_schema(schema_generator=_Untitled)
        except PydanticUserError as error:
            raise NoSchema(str(error).partition(". ")[0]) from error

    def schema(self) -> dict[str, Any]:
        """That of pydantic."""
        return self._schema

    def converted(self, sent: dict[str, Any]) -> Mapping[str, Any]:
        """By the rules of pydantic."""
        try:
            return cast(Mapping[str, Any], self._adapter.validate_python(sent))
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_context=False, include_input=False)
            raise InvalidArguments("; ".join(map(_sentence, wrong[:MOST]))) from None


def of_parameters(parameters: Sequence[inspect.Parameter], others: Any) -> Annotations:
    """An object with a member for each parameter, and others of that type unless it is None."""
    members = {each.name: _member(each) for each in parameters}
    closed = {"closed": True} if others is None else {"extra_items": _for_pydantic(others)}
    return Annotations(_typed_dict("Arguments", members, **closed))


def _member(parameter: inspect.Parameter) -> Any:
    annotation = _for_pydantic(parameter.annotation)
    if parameter.default is parameter.empty:
        return Required[annotation]
    return NotRequired[Annotated[annotation, Field(json_schema_extra=default_of(parameter))]]


def _for_pydantic(annotation: Any) -> Any:
    """The same annotation, in terms that pydantic knows, wherever in it something else stands."""
    if is_array(annotation):
        return array_of(annotation)
    if is_typeddict(annotation):
        return _modern(annotation)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return reduce(or_, map(_for_pydantic, parts))
    if origin in (Required, NotRequired):
        return _for_pydantic(parts[0])
    if origin is Annotated:
        return Annotated[(_for_pydantic(parts[0]), *parts[1:])]
    if isinstance(origin, type) and parts:
        return types.GenericAlias(origin, tuple(map(_for_pydantic, parts)))
    return annotation


def _modern(annotation: Any) -> Any:
    # Before Python 3.12 pydantic refuses those of the standard library.
    if sys.version_info >= (3, 12) or type(annotation).__module__ != "typing":
        return annotation
    members: dict[str, Any] = {}
    for name, hint in get_type_hints(annotation, include_extras=True).items():
        known = _for_pydantic(hint)
        members[name] = Required[known] if name in annotation.__required_keys__ else NotRequired[known]
    return _typed_dict(annotation.__name__, members)


def _typed_dict(name: str, members: Mapping[str, Any], **closed: Any) -> Any:
    return cast(Any, TypedDict)(name, dict(members), **closed)


def _sentence(error: Any) -> str:
    return f"{'.'.join(('$', *map(str, error['loc'])))}: {error['msg']}"


class _Untitled(GenerateJsonSchema):
    """The name of a property says as much as a title made of it."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
