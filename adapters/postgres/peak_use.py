"""How many connections are needed at once, so that others need not stay open."""

import time

WINDOW_SECONDS = 30.0
"""Seconds after which connections that nobody has needed are closed."""
MIN_CONNECTIONS = 1
"""So many are not too many, whatever was needed."""


class PeakUse:
    """What was the most is looked at in terms. Where two threads say something at once it may find too little."""

    def __init__(self) -> None:
        self._most, self._ends = 0, time.monotonic() + WINDOW_SECONDS

    def see(self, number: int) -> None:
        """So many are used now."""
        self._most = max(self._most, number)

    def is_met_by_less_than(self, open: int) -> bool:
        """Whether the term is over, and fewer than these were enough for it. Then another begins."""
        now = time.monotonic()
        if now < self._ends:
            return False
        most, self._most, self._ends = max(self._most, MIN_CONNECTIONS), 0, now + WINDOW_SECONDS
        return open > most
