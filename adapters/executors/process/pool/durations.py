"""Durations of the runs of each type, learned from those that have ended."""

from domain.ids import TypeName

UNKNOWN_SECONDS = 1e9
"""Seconds that are expected of a type that has never run: so much that no run is queued behind it."""
FASTER_RUN_WEIGHT = 0.1
"""The weight of a run that took less time than expected. One that took more counts in full, up to a bound."""
MAX_GROWTH_FACTOR, MAX_GROWTH_SECONDS = 2.0, 1e-4
"""The bound: so many times the expectation, and so many seconds. Other processes may have held the run up."""


class Durations:
    """Expects of each type what its runs have taken."""

    def __init__(self) -> None:
        self._seconds: dict[TypeName, float] = {}

    def expected(self, type: TypeName) -> float:
        """Seconds that the next run of this type is likely to take at most."""
        return self._seconds.get(type, UNKNOWN_SECONDS)

    def learn(self, type: TypeName, seconds: float) -> None:
        """Take a run of that many seconds into account."""
        expected = self._seconds.get(type, seconds)
        seconds = min(seconds, MAX_GROWTH_FACTOR * expected + MAX_GROWTH_SECONDS)
        self._seconds[type] = max(seconds, expected + FASTER_RUN_WEIGHT * (seconds - expected))
