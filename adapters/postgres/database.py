"""The database: how to reach it, and what its errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import psycopg2.errors
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from application.errors import StorageConflict, StorageUnavailable

PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""How long a silent network is believed to be alive, in the units of libpq; what the address says wins."""


class Database:
    """One database by its address, which libpq takes whole: several hosts, sslmode and all."""

    def __init__(self, url: str, application_name: str = "flask-tasks", pool_size: int = 16) -> None:
        self._url = url
        self._defaults: dict[str, Any] = PATIENCE | {"application_name": application_name}
        self.engine: Engine = create_engine(
            "postgresql+psycopg2://",
            creator=self.connect,
            use_native_hstore=False,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_use_lifo=True,
        )

    def connect(self) -> Any:
        """A psycopg2 connection of the caller's own."""
        given = psycopg2.extensions.parse_dsn(self._url)
        defaults = {key: self._defaults[key] for key in self._defaults.keys() - given.keys()}
        connection = psycopg2.connect(self._url, **defaults)
        # Compiling a plan takes up to a second, and pays for what reads much. Nothing here does, but the planner may
        # think so. As an option of the connection it would be refused by poolers.
        connection.autocommit = True
        connection.cursor().execute("SET jit = off")
        connection.autocommit = False
        return connection

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


@contextmanager
def errors_translated() -> Iterator[None]:
    """What the driver raises becomes what the application knows."""
    try:
        yield
    except PoolTimeout as error:
        raise StorageUnavailable from error
    except DBAPIError as error:
        if isinstance(error.orig, CONFLICTS):
            raise StorageConflict from error
        if error.connection_invalidated or isinstance(error.orig, AWAY):
            raise StorageUnavailable from error
        raise
    except AWAY as error:
        raise StorageUnavailable from error


CONFLICTS = (psycopg2.errors.DeadlockDetected, psycopg2.errors.SerializationFailure)
AWAY = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    psycopg2.errors.UndefinedTable,
    psycopg2.errors.ReadOnlySqlTransaction,
)
"""A table that is not there yet, or a standby that was reached, is a database that is not ready."""
