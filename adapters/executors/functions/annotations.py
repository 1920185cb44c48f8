"""Check and convert the arguments of a task by the annotations of its function, with pydantic."""

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NotRequired, Required, cast

from pydantic import Field, PydanticUserError, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails, SchemaValidator

from adapters.executors.functions.checker import InvalidArguments, schema_default
from adapters.executors.functions.core_schemas import fit_for_json, sent_values
from adapters.executors.functions.pydantic_annotations import for_pydantic, typed_dict

MAX_ERRORS = 10
"""Errors that a message names; further ones are left out."""


class NoSchema(Exception):
    """An annotation has no JSON form; the message says why."""


class AnnotationChecker:
    """Checks an object by one annotation. The function receives what its schema allows, and nothing else."""

    def __init__(self, annotation: Any) -> None:
        try:
            schema = fit_for_json(TypeAdapter(for_pydantic(annotation)).core_schema)
            self._schema = _JsonSchema().generate(schema)
            # The validators that pydantic has built for classes would not be those of this schema.
            self._validator = SchemaValidator(schema, _use_prebuilt=False)
        except PydanticUserError as error:
            raise NoSchema(_reason(error)) from error

    def schema(self) -> dict[str, Any]:
        """The schema that pydantic makes."""
        return self._schema

    def convert(self, args: str) -> Mapping[str, Any]:
        """Convert by pydantic's rules for JSON."""
        try:
            found = self._validator.validate_json(args, strict=True, by_alias=True, by_name=False)
            return cast(Mapping[str, Any], found)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_ERRORS]
            raise InvalidArguments("; ".join(_sentence(each, json.loads(args)) for each in errors)) from None


def parameter_checker(parameters: Sequence[inspect.Parameter], extra: Any) -> AnnotationChecker:
    """The checker of an object with a member for each parameter, and further members of type `extra` unless None."""
    members = {each.name: _member(each) for each in parameters}
    options = {"closed": True} if extra is None else {"extra_items": for_pydantic(extra)}
    return AnnotationChecker(typed_dict("Arguments", members, **options))


def _reason(error: PydanticUserError) -> str:
    sentence = str(error).partition(". ")[0]
    if error.code != "schema-for-unknown-type":
        return sentence
    unknown = sentence.removeprefix("Unable to generate pydantic-core schema for ")
    return f"no argument in JSON can become {unknown}: make it a dataclass, or leave the annotation out"


def _member(parameter: inspect.Parameter) -> Any:
    annotation = for_pydantic(parameter.annotation)
    if parameter.default is parameter.empty:
        return Required[annotation]
    return NotRequired[Annotated[annotation, Field(json_schema_extra=schema_default(parameter))]]


def _sentence(error: ErrorDetails, args: Any) -> str:
    *parents, last = error["loc"] or ("",)
    names = [*_names(parents, args), str(last)] if error["type"] == "missing" else [*_names(error["loc"], args)]
    return f"{'.'.join(('$', *names))}: {error['msg']}"


def _names(location: Sequence[int | str], value: Any) -> Iterator[str]:
    """The keys and indexes of a location in the value, without the types that pydantic has tried and lists too."""
    for part in location:
        exists = part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)
        if exists:
            value = value[part]
            yield str(part)


class _JsonSchema(GenerateJsonSchema):
    """JSON Schema without titles (pydantic would make them of the names of properties), which says all that it can."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def decimal_schema(self, schema: Any) -> dict[str, Any]:
        number, _ = super().decimal_schema(schema)["anyOf"]
        return {"anyOf": [number, {"type": "string", "format": "decimal"}]}

    def enum_schema(self, schema: Any) -> dict[str, Any]:
        return super().enum_schema(schema) | {"enum": [sent for sent, _ in sent_values(schema)]}

    def dict_schema(self, schema: Any) -> dict[str, Any]:
        """Pydantic restricts neither keys that are no texts nor those that a pattern does not match."""
        keys = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        members = super().dict_schema({name: part for name, part in schema.items() if name != "keys_schema"})  # type: ignore[arg-type]
        return members if keys in ({}, {"type": "string"}) else members | {"propertyNames": keys}

    frozendict_schema = ordered_dict_schema = counter_schema = dict_schema
