"""How long runs of each type take, as far as it has been seen."""

from domain.ids import TypeName

UNKNOWN_SECONDS = 1e9
"""Seconds: of what was never seen, everything must be feared."""
FASTER_RUN_WEIGHT = 0.1
"""The weight of a run that took less than expected. One that took more counts in full, within reason."""
MAX_GROWTH_FACTOR, MAX_GROWTH_SECONDS = 2.0, 1e-4
"""So many times what was expected and so many seconds: a run may have been held up by whoever else wants the cores."""


class Durations:
    """Learns from runs that have ended."""

    def __init__(self) -> None:
        self._seconds: dict[TypeName, float] = {}

    def expected(self, type: TypeName) -> float:
        """Seconds that the next run of this type is likely to take at most."""
        return self._seconds.get(type, UNKNOWN_SECONDS)

    def learn(self, type: TypeName, seconds: float) -> None:
        """One took so long."""
        expected = self._seconds.get(type, seconds)
        seconds = min(seconds, MAX_GROWTH_FACTOR * expected + MAX_GROWTH_SECONDS)
        self._seconds[type] = max(seconds, expected + FASTER_RUN_WEIGHT * (seconds - expected))
