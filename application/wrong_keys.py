"""Wrong keys: whoever guesses at keys is answered more and more slowly."""

from collections import OrderedDict
from threading import Lock

from application.ports.clock import Clock

FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS = 0.1, 5.0
FORGET_SECONDS = 600.0
"""Seconds after which the wrong keys of an address are forgotten."""
MAX_ADDRESSES = 10_000


class WrongKeys:
    """Counts wrong keys by the address of their senders. Thread-safe. Right keys are never delayed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._seen: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """The number of wrong keys of an address, and the time of the last one."""

    def delay(self, address: str) -> float:
        """Count a wrong key, and return the seconds by which its answer is delayed: none at first, then ever more."""
        with self._lock:
            now = self._clock.monotonic()
            number, last = self._seen.pop(address, (0, now))
            number = number + 1 if now - last < FORGET_SECONDS else 1
            self._seen[address] = number, now
            while len(self._seen) > MAX_ADDRESSES:
                self._seen.popitem(last=False)
        return min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(number - 2, 50)) if number > 1 else 0.0
