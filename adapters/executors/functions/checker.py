"""Check the arguments of a task by the names of the parameters of its function."""

import inspect
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, cast

from flask_tasks.json_form import NoForm, json_form


class InvalidArguments(Exception):
    """The arguments do not fit the function; the message names the path of each error."""


class Checker(Protocol):
    """Checks the arguments of a task, and converts them for the function."""

    def schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12 of the arguments that fit."""
        ...

    def convert(self, args: str) -> Mapping[str, Any]:
        """The values that the function receives for arguments in JSON text.

        Raises InvalidArguments: the arguments do not fit.
        """
        ...


class NameChecker:
    """Checks the names alone: any JSON fits as a value, and is not converted.

    - `properties`: the JSON Schema of each name.
    - `required`: the names that must not be missing.
    - `takes_others`: whether further names are allowed.
    """

    def __init__(self, properties: Mapping[str, Any], required: Collection[str], takes_others: bool) -> None:
        self._properties, self._required, self._takes_others = dict(properties), list(required), takes_others

    @classmethod
    def of_parameters(cls, parameters: Sequence[inspect.Parameter], takes_others: bool) -> "NameChecker":
        """The checker of a function's parameters."""
        properties = {each.name: schema_default(each) for each in parameters}
        return cls(properties, [each.name for each in parameters if each.default is each.empty], takes_others)

    def schema(self) -> dict[str, Any]:
        """An object with a property for each name."""
        return {
            "type": "object",
            "properties": self._properties,
            "required": self._required,
            "additionalProperties": self._takes_others,
        }

    def convert(self, args: str) -> dict[str, Any]:
        """The parsed arguments, if no name is missing and none is unknown."""
        values = cast(dict[str, Any], json.loads(args))
        errors = [f"$.{name}: it is required" for name in self._required if name not in values]
        if not self._takes_others:
            errors += [f"$.{name}: there is no such argument" for name in values if name not in self._properties]
        if errors:
            raise InvalidArguments("; ".join(errors))
        return values


def schema_default(parameter: inspect.Parameter) -> dict[str, Any]:
    """The member `default` of a parameter's schema; empty where it has no default, or one without a JSON form."""
    try:
        return {} if parameter.default is parameter.empty else {"default": json_form(parameter.default)}
    except NoForm:
        return {}
