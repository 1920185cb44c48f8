"""One PostgreSQL database: its connector, its two pools, and the ways to execute statements."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, TextClause

from adapters.postgres import statements
from adapters.postgres.autocommit_pool import AutocommitPool
from adapters.postgres.connector import Connector
from adapters.postgres.prepared import Preparation
from adapters.postgres.session import Session
from adapters.postgres.transaction_pool import TransactionPool
from adapters.postgres.watchdog import Watchdog

T = TypeVar("T")


class Database:
    """One database by its address, which libpq takes whole. Safe to use from several threads.

    StorageConflict and StorageUnavailable from all methods that execute statements.
    """

    def __init__(self, url: str, application_name: str = "flask-tasks", pool_size: int = 16) -> None:
        watchdog = Watchdog()
        preparation = Preparation(statements.PREPARED)
        self._connector = Connector(url, application_name, watchdog)
        # A failure that ends one session has ended the others as well, or will.
        self._transactions = TransactionPool(self.connect, pool_size, watchdog, on_disconnect=self.close)
        preparation.attach(self.engine)
        self._autocommit = AutocommitPool(self.connect, preparation, watchdog, on_disconnect=self.close)

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine on the pool for transactions. It translates no errors, and no watchdog watches it."""
        return self._transactions.engine

    def connect(self) -> Session:
        """Open a psycopg2 connection of the caller's own. Raises psycopg2.Error: the database is away."""
        return self._connector.connect()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend a connection of the pool, and roll back unless the block commits.

        A server that does not answer counts as away.
        """
        try:
            with self._transactions.transaction() as connection:
                yield connection
        finally:
            self._autocommit.close_unused()

    def execute_autocommit(self, statement: TextClause, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Execute the statement as a transaction of its own, and return its rows as named tuples.

        After StorageUnavailable it may still be executed: a server that stood still executes and commits what has
        reached it when it goes on.
        """
        with self._autocommit.lend() as connection:
            return connection.execute(statement, parameters)

    def commit_after_read(
        self, statement: TextClause, parameters: Mapping[str, Any], read: Callable[[Sequence[Any]], T]
    ) -> T:
        """Execute the statement, and return the value that `read` makes of its rows.

        The statement is committed only after that, at the price of a second round trip: where the rows do not arrive
        or cannot be read, nothing has changed.
        """
        with self._autocommit.lend() as connection:
            return connection.commit_after_read(statement, parameters, read)

    def close(self) -> None:
        """Close the idle connections. The database stays usable: it opens others when they are needed."""
        self._autocommit.close()
        self._transactions.close()
