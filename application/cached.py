"""A cache of one value that is read from the storage."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from application.errors import StorageUnavailable
from application.ports.clock import Clock

MAX_AGE_SECONDS = 1.0
"""Seconds for which the value that was read last is used."""
MAX_SHARE = 0.1
"""Share of the time that reading may take: after a slow read the value is used for longer."""
T = TypeVar("T")


class Cached(Generic[T]):
    """Reads a value at most once in MAX_AGE_SECONDS. Thread-safe: the threads that need it wait for one of them.

    Raises StorageUnavailable: the value could not be read. It is not read again for MAX_AGE_SECONDS.
    """

    def __init__(self, read: Callable[[], T], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._due_at = float("-inf")
        self._values: list[T] = []

    def __call__(self) -> T:
        """The value as it was MAX_AGE_SECONDS ago at most, or a little earlier where reading it is slow."""
        with self._lock:
            if self._clock.monotonic() >= self._due_at:
                self._refresh()
            if not self._values:
                raise StorageUnavailable
            return self._values[0]

    def _refresh(self) -> None:
        began = self._clock.monotonic()
        self._values.clear()
        try:
            self._values.append(self._read())
        finally:
            now = self._clock.monotonic()
            self._due_at = max(began + MAX_AGE_SECONDS, now + (now - began) * (1 / MAX_SHARE - 1))
