"""A value that is read on a thread of its own, so that no reader waits long for it."""

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from application.cached import MAX_SHARE
from application.errors import StorageUnavailable
from application.isolation import log_once
from application.ports.clock import Clock

PATIENCE_SECONDS = 1.0
"""Seconds that a reader waits at most."""
MAX_AGE_SECONDS = 5.0
"""Seconds for which a value is used."""
T = TypeVar("T")
log = logging.getLogger(__name__)


class Timely(Generic[T]):
    """Reads a value at most once in MAX_AGE_SECONDS, and less often where reading it is slow. Thread-safe.

    - `max_late`: seconds beyond that for which the last value is used while another reading takes longer.
    - `patience`: seconds that a reader waits for a reading that is under way.
    """

    def __init__(
        self, read: Callable[[], T], clock: Clock, max_late: float = 0, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._read = read
        self._clock = clock
        self._max_late = max_late
        self._patience = patience
        self._lock = Lock()
        self._is_read = Event()
        self._is_read.set()
        self._due_at = self._late_at = float("-inf")
        self._value: T | None = None

    def __call__(self) -> T | None:
        """The value; None if it could not be read, or takes longer."""
        with self._lock:
            if self._is_read.is_set() and self._clock.monotonic() >= self._due_at:
                self._is_read.clear()
                Thread(target=self._refresh, name="timely", daemon=True).start()
        is_in_time = self._is_read.wait(self._patience) or self._clock.monotonic() < self._late_at
        return self._value if is_in_time else None

    def _refresh(self) -> None:
        began = self._clock.monotonic()
        try:
            self._value = self._read()
        except StorageUnavailable:
            self._value = None
        except Exception as error:
            log_once(log, f"a value for the metrics cannot be read: {error}", error)
            self._value = None
        now = self._clock.monotonic()
        self._due_at = max(began + MAX_AGE_SECONDS, now + (now - began) * (1 / MAX_SHARE - 1))
        self._late_at = self._due_at + self._max_late
        self._is_read.set()
