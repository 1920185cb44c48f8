"""Checking what was sent against the parameters of a function, where these have no annotations."""

import inspect
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, cast

from adapters.executors.functions.json_form import NoForm, json_form


class InvalidArguments(Exception):
    """The arguments do not fit the function; the message names each place."""


class Checker(Protocol):
    """Says what fits, and makes of it what the function is handed."""

    def schema(self) -> dict[str, Any]:
        """What fits, as JSON Schema 2020-12."""
        ...

    def converted(self, sent: str) -> Mapping[str, Any]:
        """What was sent as JSON text, as the values that are handed over. InvalidArguments if it does not fit."""
        ...


class Names:
    """Any JSON under the right names fits, and stays as it is. `properties` holds what the schema says of each name."""

    def __init__(self, properties: Mapping[str, Any], required: Collection[str], takes_others: bool) -> None:
        self._properties, self._required, self._takes_others = dict(properties), list(required), takes_others

    @classmethod
    def of_parameters(cls, parameters: Sequence[inspect.Parameter], takes_others: bool) -> "Names":
        """Those of a function."""
        properties = {each.name: default_of(each) for each in parameters}
        return cls(properties, [each.name for each in parameters if each.default is each.empty], takes_others)

    def schema(self) -> dict[str, Any]:
        """A property for each name."""
        return {
            "type": "object",
            "properties": self._properties,
            "required": self._required,
            "additionalProperties": self._takes_others,
        }

    def converted(self, sent: str) -> dict[str, Any]:
        """What it says, if no name is missing and none too many."""
        values = cast(dict[str, Any], json.loads(sent))
        wrong = [f"$.{name}: it is required" for name in self._required if name not in values]
        if not self._takes_others:
            wrong += [f"$.{name}: there is no such argument" for name in values if name not in self._properties]
        if wrong:
            raise InvalidArguments("; ".join(wrong))
        return values


def default_of(parameter: inspect.Parameter) -> dict[str, Any]:
    """The member `default` of the schema of a parameter; none where it has no default, or one without a JSON form."""
    try:
        return {} if parameter.default is parameter.empty else {"default": json_form(parameter.default)}
    except NoForm:
        return {}
