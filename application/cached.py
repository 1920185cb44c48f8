"""Caches of values that are read from the storage."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from threading import Lock
from typing import Generic, TypeVar

from application.errors import StorageUnavailable
from application.ports.clock import Clock

MAX_AGE_SECONDS = 1.0
"""Seconds for which the value that was read last is used, unless a cache has its own."""
MAX_SHARE = 0.1
"""Share of the time that reading may take: after a slow read the value is used for longer."""
MAX_KEYS = 64
"""Number of values that a cache by key holds: those that were asked for last."""
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class Cached(Generic[T]):
    """Reads a value at most once in `max_age` seconds. Thread-safe: the threads that need it wait for one of them.

    Raises StorageUnavailable: the value could not be read. It is not read again for `max_age` seconds.
    """

    def __init__(self, read: Callable[[], T], clock: Clock, max_age: float = MAX_AGE_SECONDS) -> None:
        self._read = read
        self._clock = clock
        self._max_age = max_age
        self._lock = Lock()
        self._due_at = float("-inf")
        self._values: list[T] = []

    def __call__(self) -> T:
        """The value as it was `max_age` seconds ago at most, or a little earlier where reading it is slow."""
        with self._lock:
            if self._is_due():
                self._refresh()
            if not self._values:
                raise StorageUnavailable
            return self._values[0]

    @property
    def is_over(self) -> bool:
        """Whether it has a value that is used no more, and no thread reads another one."""
        return bool(self._values) and not self._lock.locked() and self._is_due()

    def _is_due(self) -> bool:
        return self._clock.monotonic() >= self._due_at

    def _refresh(self) -> None:
        began = self._clock.monotonic()
        self._values.clear()
        try:
            self._values.append(self._read())
        finally:
            now = self._clock.monotonic()
            self._due_at = max(began + self._max_age, now + (now - began) * (1 / MAX_SHARE - 1))


class CachedByKey(Generic[K, T]):
    """Reads a value for each key, as Cached does: those of several keys at the same time. Thread-safe.

    `max_age`: the seconds for which the value of a key is used.
    """

    def __init__(self, read: Callable[[K], T], clock: Clock, max_age: Callable[[K], float]) -> None:
        self._read = read
        self._clock = clock
        self._max_age = max_age
        self._lock = Lock()
        self._cached: OrderedDict[K, Cached[T]] = OrderedDict()

    def __call__(self, key: K) -> T:
        """The value of the key. Raises StorageUnavailable: it could not be read."""
        return self._of(key)()

    def _of(self, key: K) -> Cached[T]:
        with self._lock:
            if key not in self._cached:
                # Periods that end now have another key each minute: the old ones are not asked for again.
                for old in [old for old, cached in self._cached.items() if cached.is_over]:
                    del self._cached[old]
                self._cached[key] = Cached(partial(self._read, key), self._clock, self._max_age(key))
            self._cached.move_to_end(key)
            while len(self._cached) > MAX_KEYS:
                self._cached.popitem(last=False)
            return self._cached[key]
