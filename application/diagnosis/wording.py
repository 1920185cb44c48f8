"""Words for numbers and times in sentences."""

from collections.abc import Sequence
from itertools import pairwise

MINUTE_SECONDS, HOUR_SECONDS, DAY_SECONDS = 60, 3_600, 86_400
UNITS = ((DAY_SECONDS, "d"), (HOUR_SECONDS, "h"), (MINUTE_SECONDS, "min"), (1, "s"))
MAX_NAMES = 5
"""Names that a sentence lists."""


def duration(seconds: float) -> str:
    """Format a duration by its two largest units, as in 12 s, 3 min or 2 h 5 min."""
    left = max(0, round(seconds))
    for (unit, name), (smaller, smaller_name) in pairwise(UNITS):
        if left >= unit:
            rest = left % unit // smaller
            return f"{left // unit} {name} {rest} {smaller_name}" if rest else f"{left // unit} {name}"
    return f"{left} s"


def counted(number: int, noun: str = "task") -> str:
    """A number with its noun, as in 1 task or 1,200 tasks."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = [f"{len(names) - MAX_NAMES} more"] if len(names) > MAX_NAMES else []
    return " and ".join(filter(None, [", ".join(names[:MAX_NAMES]), *more]))
