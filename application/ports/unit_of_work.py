"""The unit of work: one transaction, which is written as a whole or not at all."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from application.ports.api_keys import ApiKeyRepository
from application.ports.batches import BatchRepository
from application.ports.cleaning import Cleaning
from application.ports.deliveries import Deliveries
from application.ports.dependencies import DependencyRepository
from application.ports.limits import LimitRepository
from application.ports.listing import Listing
from application.ports.monitoring import Monitoring
from application.ports.published_types import PublishedTypes
from application.ports.queue import Queue
from application.ports.reruns import Reruns
from application.ports.schedules import Schedules
from application.ports.statistics import Statistics
from application.ports.task_repository import TaskRepository


class UnitOfWork(Protocol):
    """A transaction over the whole storage.

    Raises StorageUnavailable, from any method: the storage is away.
    """

    @property
    def tasks(self) -> TaskRepository: ...

    @property
    def queue(self) -> Queue: ...

    @property
    def listing(self) -> Listing: ...

    @property
    def cleaning(self) -> Cleaning: ...

    @property
    def types(self) -> PublishedTypes: ...

    @property
    def limits(self) -> LimitRepository: ...

    @property
    def schedules(self) -> Schedules: ...

    @property
    def deliveries(self) -> Deliveries: ...

    @property
    def monitoring(self) -> Monitoring: ...

    @property
    def statistics(self) -> Statistics: ...

    @property
    def reruns(self) -> Reruns: ...

    @property
    def batches(self) -> BatchRepository: ...

    @property
    def dependencies(self) -> DependencyRepository: ...

    @property
    def api_keys(self) -> ApiKeyRepository: ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Undo the changes of the block if it raises; the unit of work goes on."""
        ...

    def commit(self) -> None:
        """Make the changes permanent. Changes that are not committed at the end of the block are rolled back."""
        ...


Begin = Callable[[], AbstractContextManager[UnitOfWork]]
"""`with begin() as work:` rolls back unless `work.commit()` was called."""
