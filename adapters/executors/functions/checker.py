"""Checking what was sent against the parameters of a function, where these have no annotations."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from adapters.executors.functions.plain import NoForm, plain


class InvalidArguments(Exception):
    """The arguments do not fit the function; the message names each place."""


class Checker(Protocol):
    """Says what fits, and makes of it what the function is handed."""

    def schema(self) -> dict[str, Any]:
        """What fits, as JSON Schema 2020-12."""
        ...

    def converted(self, sent: dict[str, Any]) -> Mapping[str, Any]:
        """What was sent, as the values that the annotations ask for. InvalidArguments if it does not fit."""
        ...


class AnyObject:
    """Everything fits, and stays as it is."""

    def schema(self) -> dict[str, Any]:
        """Any object."""
        return {"type": "object"}

    def converted(self, sent: dict[str, Any]) -> dict[str, Any]:
        """The same."""
        return sent


class Names:
    """Any JSON under the right names fits, and stays as it is."""

    def __init__(self, parameters: Sequence[inspect.Parameter], takes_others: bool) -> None:
        self._parameters = {each.name: each for each in parameters}
        self._required = [each.name for each in parameters if each.default is each.empty]
        self._takes_others = takes_others

    def schema(self) -> dict[str, Any]:
        """A property for each name."""
        return {
            "type": "object",
            "properties": {name: default_of(each) for name, each in self._parameters.items()},
            "required": self._required,
            "additionalProperties": self._takes_others,
        }

    def converted(self, sent: dict[str, Any]) -> dict[str, Any]:
        """The same, if no name is missing and none too many."""
        wrong = [f"$.{name}: it is required" for name in self._required if name not in sent]
        if not self._takes_others:
            wrong += [f"$.{name}: there is no such argument" for name in sent if name not in self._parameters]
        if wrong:
            raise InvalidArguments("; ".join(wrong))
        return sent


def default_of(parameter: inspect.Parameter) -> dict[str, Any]:
    """The member `default` of the schema of a parameter; none where it has no default, or one without a JSON form."""
    try:
        return {} if parameter.default is parameter.empty else {"default": plain(parameter.default)}
    except NoForm:
        return {}
