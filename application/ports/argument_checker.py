"""Checking arguments against the JSON Schema of their type."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class ArgumentChecker(Protocol):
    """Says what is wrong with arguments, before they are stored."""

    def errors(self, schema: str, args: object) -> Mapping[str, Sequence[str]]:
        """Sentences by the path of the place, `$.a.0.b`; empty if the arguments fit. `args` is the parsed JSON."""
        ...
