"""The argument checker: validates arguments against the JSON Schema of their type."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol


class ArgumentChecker(Protocol):
    """Validates arguments before they are stored."""

    def errors(
        self, schema: str, args: object, open_places: Collection[tuple[str | int, ...]] = ()
    ) -> Mapping[str, Sequence[str]]:
        """Sentences by the path of each wrong place, such as `$.a.0.b`. Empty if `args`, which is parsed JSON, fits.

        `open_places`: the steps that lead to values which are not known yet. What depends on them is not wrong.
        """
        ...
