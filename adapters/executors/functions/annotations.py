"""Checking and converting what was sent by the annotations of a function, with pydantic."""

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NotRequired, Required, cast

from pydantic import Field, PydanticUserError, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails

from adapters.executors.functions.checker import InvalidArguments, default_of
from adapters.executors.functions.pydantic_annotations import translated, typed_dict

MAX_ERRORS = 10
"""So many places that do not fit are named."""


class NoSchema(Exception):
    """An annotation has no JSON form; the message says why."""


class Annotations:
    """What one annotation says of an object. Strict, so that the function is handed nothing that the schema refuses."""

    def __init__(self, annotation: Any) -> None:
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(translated(annotation))
            self._schema = self._adapter.json_schema(schema_generator=_Untitled)
        except PydanticUserError as error:
            raise NoSchema(str(error).partition(". ")[0]) from error

    def schema(self) -> dict[str, Any]:
        """That of pydantic."""
        return self._schema

    def converted(self, sent: str) -> Mapping[str, Any]:
        """By the rules that pydantic has for JSON."""
        try:
            return cast(Mapping[str, Any], self._adapter.validate_json(sent, strict=True))
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_ERRORS]
            raise InvalidArguments("; ".join(_sentence(each, json.loads(sent)) for each in wrong)) from None


def of_parameters(parameters: Sequence[inspect.Parameter], others: Any) -> Annotations:
    """An object with a member for each parameter, and others of that type unless it is None."""
    members = {each.name: _member(each) for each in parameters}
    options = {"closed": True} if others is None else {"extra_items": translated(others)}
    return Annotations(typed_dict("Arguments", members, **options))


def _member(parameter: inspect.Parameter) -> Any:
    annotation = translated(parameter.annotation)
    if parameter.default is parameter.empty:
        return Required[annotation]
    return NotRequired[Annotated[annotation, Field(json_schema_extra=default_of(parameter))]]


def _sentence(error: ErrorDetails, sent: Any) -> str:
    *way, last = error["loc"] or ("",)
    names = [*_names(way, sent), str(last)] if error["type"] == "missing" else [*_names(error["loc"], sent)]
    return f"{'.'.join(('$', *names))}: {error['msg']}"


def _names(location: Sequence[int | str], value: Any) -> Iterator[str]:
    """The places on the way. Pydantic names there the types that it has tried, too."""
    for part in location:
        is_there = part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)
        if is_there:
            value = value[part]
            yield str(part)


class _Untitled(GenerateJsonSchema):
    """The name of a property says as much as a title made of it."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
