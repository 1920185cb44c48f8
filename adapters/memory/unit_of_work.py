"""The unit of work in memory: one at a time, each on a copy of the state that a commit stores."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock

from adapters.memory.api_keys import MemoryApiKeyRepository
from adapters.memory.batches import MemoryBatchRepository
from adapters.memory.cleaning import MemoryCleaning
from adapters.memory.deliveries import MemoryDeliveries
from adapters.memory.dependencies import MemoryDependencies
from adapters.memory.limits import MemoryLimitRepository
from adapters.memory.listing import MemoryListing
from adapters.memory.monitoring import MemoryMonitoring
from adapters.memory.published_types import MemoryPublishedTypes
from adapters.memory.queue import MemoryQueue
from adapters.memory.reruns import MemoryReruns
from adapters.memory.schedules import MemorySchedules
from adapters.memory.state import State, system_time
from adapters.memory.statistics import MemoryStatistics
from adapters.memory.task_repository import MemoryTaskRepository

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryUnitOfWork:
    """Implements application.ports.unit_of_work.UnitOfWork. `state` and `up_since` are for this adapter."""

    def __init__(self, store: "MemoryStore") -> None:
        self._store = store
        self.up_since = store.up_since
        self._use(store.state.copy())

    def _use(self, state: State) -> None:
        self.state = state
        self.tasks = MemoryTaskRepository(state)
        self.queue = MemoryQueue(state)
        self.listing = MemoryListing(state)
        self.cleaning = MemoryCleaning(state)
        self.types = MemoryPublishedTypes(state)
        self.limits = MemoryLimitRepository(state)
        self.schedules = MemorySchedules(state)
        self.deliveries = MemoryDeliveries(state)
        self.monitoring = MemoryMonitoring(state)
        self.statistics = MemoryStatistics(state)
        self.reruns = MemoryReruns(state)
        self.batches = MemoryBatchRepository(state)
        self.dependencies = MemoryDependencies(state)
        self.api_keys = MemoryApiKeyRepository(state)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo the changes of the block if it raises."""
        before = self.state.copy()
        try:
            yield
        except BaseException:
            self._use(before)
            raise

    def commit(self) -> None:
        """Store the state of this unit of work."""
        self._store.state = self.state.copy()


class MemoryStore:
    """The storage in memory. Safe to use from several threads: a unit of work waits until the one before has ended.

    `now`: the clock by which it counts events.
    """

    def __init__(self, up_since: datetime = LONG_AGO, now: Callable[[], datetime] = system_time) -> None:
        self.state = State(now)
        self.up_since = up_since
        self._lock = Lock()

    @contextmanager
    def begin(self) -> Iterator[MemoryUnitOfWork]:
        """Begin a unit of work that is rolled back unless it is committed."""
        with self._lock:
            yield MemoryUnitOfWork(self)
