"""A place in a JSON value: the steps that lead to it."""

from collections.abc import Iterable

MAX_STEP_CHARACTERS = 80
"""Characters that are shown of a name."""
Place = tuple[str | int, ...]
"""Names of members, and indexes of items."""


def shown(place: Iterable[str | int]) -> str:
    """The place as a path: `$.a.0.b`, or `$` for the whole."""
    return ".".join(("$", *(str(step)[:MAX_STEP_CHARACTERS] for step in place)))
