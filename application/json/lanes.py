"""The lane of a task: the value of one of its arguments, by which tasks take turns."""

from collections.abc import Mapping
from typing import Any

from application.json.fingerprint import digest
from application.json.text import canonical
from domain.ids import NO_LANE, Lane

MAX_CHARACTERS = 200
"""Characters of a lane. A longer value is known by its hash."""


def lane(args: Mapping[str, Any], argument: str | None) -> Lane | None:
    """The lane of a task with these arguments; None where no argument names lanes.

    Equal values have one lane, and so have all tasks that lack the argument, or have null.
    """
    if argument is None:
        return None
    value = args.get(argument)
    if value is None:
        return NO_LANE
    text = canonical(value)
    return Lane(text if len(text) <= MAX_CHARACTERS else digest(text))
