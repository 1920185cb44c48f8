"""The argument checker: validates arguments against the JSON Schema of their type."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class ArgumentChecker(Protocol):
    """Validates arguments before they are stored."""

    def errors(self, schema: str, args: object) -> Mapping[str, Sequence[str]]:
        """Sentences by the path of each wrong place, such as `$.a.0.b`. Empty if `args`, which is parsed JSON, fits."""
        ...
