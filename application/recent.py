"""Values that are read from the storage and used for a few seconds, also while it is read again or is away."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from application.errors import StorageUnavailable
from application.ports.clock import Clock

MAX_AGE_SECONDS = 2.0
"""Seconds after which a thread reads a value again, while the others use the one that was read last."""
MAX_STALE_SECONDS = 4.0
"""Seconds after which the value that was read last is used no more."""
MAX_VALUES = 1_000
"""Number of values that are held: those that were asked for last."""
K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class _Read(NamedTuple, Generic[T]):
    value: T
    at: float


class Recent(Generic[K, T]):
    """A value for each key, at most MAX_STALE_SECONDS old. Thread-safe: one thread reads at a time.

    Raises StorageUnavailable: the value could not be read for so long.
    """

    def __init__(self, read: Callable[[K], T], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._values: OrderedDict[K, _Read[T]] = OrderedDict()

    def __call__(self, key: K) -> T:
        """The value of the key."""
        found = self._values.get(key)
        if found and self._age(found) < MAX_AGE_SECONDS:
            return found.value
        is_usable = found is not None and self._age(found) < MAX_STALE_SECONDS
        if self._lock.acquire(blocking=not is_usable):
            try:
                return self._refreshed(key).value
            except StorageUnavailable:
                if not is_usable:
                    raise
            finally:
                self._lock.release()
        assert found
        return found.value

    def _refreshed(self, key: K) -> _Read[T]:
        """The value as it is now, unless another thread has just read it."""
        found = self._values.get(key)
        if found is None or self._age(found) >= MAX_AGE_SECONDS:
            began = self._clock.monotonic()
            found = self._values[key] = _Read(self._read(key), began)
            self._values.move_to_end(key)
            while len(self._values) > MAX_VALUES:
                self._values.popitem(last=False)
        return found

    def _age(self, read: _Read[T]) -> float:
        return self._clock.monotonic() - read.at
