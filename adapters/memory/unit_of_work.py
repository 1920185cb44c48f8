"""The unit of work in memory: one at a time, each on a copy that a commit puts in the place of the original."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock

from adapters.memory.cleaning import MemoryCleaning
from adapters.memory.deliveries import MemoryDeliveries
from adapters.memory.listing import MemoryListing
from adapters.memory.published_types import MemoryPublishedTypes
from adapters.memory.queue import MemoryQueue
from adapters.memory.schedules import MemorySchedules
from adapters.memory.state import State
from adapters.memory.task_repository import MemoryTaskRepository

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryUnitOfWork:
    """One transaction."""

    def __init__(self, store: "MemoryStore") -> None:
        self._store = store
        state = store.state.copy()
        self._state = state
        self.tasks = MemoryTaskRepository(state)
        self.queue = MemoryQueue(state, store.up_since)
        self.listing = MemoryListing(state)
        self.cleaning = MemoryCleaning(state)
        self.types = MemoryPublishedTypes(state)
        self.schedules = MemorySchedules(state)
        self.deliveries = MemoryDeliveries(state)

    def commit(self) -> None:
        """From now on this is what is stored."""
        self._store.state = self._state.copy()


class MemoryStore:
    """Safe to use from several threads; a work waits until the one before it has ended."""

    def __init__(self, up_since: datetime = LONG_AGO) -> None:
        self.state = State()
        self.up_since = up_since
        self._lock = Lock()

    @contextmanager
    def begin(self) -> Iterator[MemoryUnitOfWork]:
        """A work that is rolled back unless it is committed."""
        with self._lock:
            yield MemoryUnitOfWork(self)
