"""The unit of work on PostgreSQL: one transaction on one connection of the pool."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection

from adapters.postgres.api_keys import PostgresApiKeyRepository
from adapters.postgres.batches import PostgresBatchRepository
from adapters.postgres.cleaning import PostgresCleaning
from adapters.postgres.database import Database
from adapters.postgres.deliveries import PostgresDeliveries
from adapters.postgres.dependencies import PostgresDependencies
from adapters.postgres.limits import PostgresLimitRepository
from adapters.postgres.listing import PostgresListing
from adapters.postgres.monitoring import PostgresMonitoring
from adapters.postgres.published_types import PostgresPublishedTypes
from adapters.postgres.queue import PostgresQueue
from adapters.postgres.reruns import PostgresReruns
from adapters.postgres.savepoint import savepoint
from adapters.postgres.schedules import PostgresSchedules
from adapters.postgres.statistics import PostgresStatistics
from adapters.postgres.task_repository import PostgresTaskRepository


class PostgresUnitOfWork:
    """One transaction. Implements application.ports.unit_of_work.UnitOfWork."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.tasks = PostgresTaskRepository(connection)
        self.queue = PostgresQueue(connection)
        self.listing = PostgresListing(connection)
        self.cleaning = PostgresCleaning(connection)
        self.types = PostgresPublishedTypes(connection)
        self.limits = PostgresLimitRepository(connection)
        self.schedules = PostgresSchedules(connection)
        self.deliveries = PostgresDeliveries(connection)
        self.monitoring = PostgresMonitoring(connection)
        self.statistics = PostgresStatistics(connection)
        self.reruns = PostgresReruns(connection)
        self.batches = PostgresBatchRepository(connection)
        self.dependencies = PostgresDependencies(connection)
        self.api_keys = PostgresApiKeyRepository(connection)

    def savepoint(self) -> AbstractContextManager[None]:
        """Undo the changes of the block if it raises."""
        return savepoint(self._connection)

    def commit(self) -> None:
        """Commit the transaction."""
        self._connection.commit()


class PostgresStore:
    """Begins units of work. Safe to use from several threads, each with a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def begin(self) -> Iterator[PostgresUnitOfWork]:
        """Begin a unit of work, which is rolled back unless it is committed.

        Raises StorageUnavailable: the database is away.
        """
        with self._database.transaction() as connection:
            yield PostgresUnitOfWork(connection)
