"""The database: how to reach it, and what its errors mean."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any, TypeVar, cast

import psycopg2
import psycopg2.errors
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extras import NamedTupleCursor
from sqlalchemy import Connection, Engine, TextClause, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from adapters.postgres import statements
from adapters.postgres.peak_use import PeakUse
from adapters.postgres.prepared import PLANNED_FOR, SHARED_SESSION_ERRORS, Preparation, for_the_driver
from adapters.postgres.watchdog import Watchdog
from application.errors import StorageConflict, StorageUnavailable

CONNECTION_DEFAULTS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""How long a silent network is believed to be alive, in the units of libpq; what the address says wins."""


SESSION_SETTINGS = {
    # Compiling a plan takes up to a second, and pays for what reads much. Nothing does, but the planner may think so.
    "jit": "off",
    # Whoever holds a lock for longer is not one of us; what waits for it is tried again.
    "lock_timeout": "1s",
    # What is prepared is planned once, not five times and then perhaps for ever.
    "plan_cache_mode": "force_generic_plan",
    # A host that vanished in the middle of a transaction must not keep its rows locked.
    "idle_in_transaction_session_timeout": "10s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20s",
}
"""What the server is told of every session. As options of the connection they would be refused by poolers."""

APPLY_SETTINGS = """
    SELECT set_config(name, value, false)
    FROM unnest(%s, %s) AS wanted (name, value) JOIN pg_settings USING (name)
"""
MAX_ANSWER_SECONDS = 15.0
"""Seconds that a server may take for a transaction; it takes milliseconds, so one that does not answer is away."""
RECONNECT_SECONDS = 0.25
"""Seconds after an attempt to connect that failed, in which others fail at once."""
MAX_IDLE_SECONDS = 30.0
"""Seconds after which connections for single steps that nobody has used are closed, all but one."""

Query = tuple[TextClause, Mapping[str, Any]]
"""A statement and its parameters."""
T = TypeVar("T")


class AutocommitConnection:
    """A connection of the driver for single steps: each is a transaction of its own."""

    def __init__(self, connection: Any) -> None:
        connection.autocommit = True
        self.connection = connection
        self.used_at = 0.0
        self._prepared: set[str] = set()

    @property
    def is_idle(self) -> bool:
        """Whether no transaction is open: one that failed halfway is ended with its connection."""
        return bool(self.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE)

    def rows(self, step: Query, preparation: Preparation) -> Sequence[Any]:
        """What it answers."""
        with self._carried_out(step, preparation) as cursor:
            return list(cursor.fetchall())

    def read(self, step: Query, preparation: Preparation, read: Callable[[Sequence[Any]], T]) -> T:
        """What is read in its rows; where they do not arrive here or cannot be read, it has not happened."""
        with self._carried_out(step, preparation, begin="BEGIN; ") as cursor:
            found = read(cursor.fetchall())
            cursor.execute("COMMIT")
            return found

    @contextmanager
    def _carried_out(self, step: Query, preparation: Preparation, begin: str = "") -> Iterator[Any]:
        statement, parameters = step
        with self.connection.cursor(cursor_factory=NamedTupleCursor) as cursor:
            try:
                sent = for_the_driver(statement)
                cursor.execute(
                    begin + preparation.to_send(sent, parameters.get(PLANNED_FOR), cursor, self._prepared), parameters
                )
                yield cursor
            except SHARED_SESSION_ERRORS as error:
                preparation.see(error)
                raise


class Database:
    """One database by its address, which libpq takes whole: several hosts, sslmode and all.

    While it is away, one at a time tries to connect, and everybody else is told at once.
    """

    def __init__(self, url: str, application_name: str = "flask-tasks", pool_size: int = 16) -> None:
        self._url = url
        self._defaults: dict[str, Any] = CONNECTION_DEFAULTS | {"application_name": application_name}
        self._watchdog = Watchdog(MAX_ANSWER_SECONDS)
        self._trying = Lock()
        self._try_again_at: float | None = None
        self._peak_use = PeakUse()
        self._idle: deque[AutocommitConnection] = deque()
        self.engine: Engine = create_engine(
            "postgresql+psycopg2://",
            creator=self.connect,
            use_native_hstore=False,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_use_lifo=True,
        )
        self._preparation = Preparation(statements.PREPARED)
        self._preparation.serve(self.engine)

    def connect(self) -> Any:
        """A psycopg2 connection of the caller's own."""
        try_again_at = self._try_again_at  # once: whoever connects meanwhile forgets it
        if try_again_at is None:
            return self._connected()
        if time.monotonic() < try_again_at or not self._trying.acquire(blocking=False):
            raise psycopg2.OperationalError("it was away a moment ago")
        try:
            return self._connected()
        finally:
            self._trying.release()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection of the pool, rolled back unless it is committed. A server that does not answer is away."""
        pool = cast(QueuePool, self.engine.pool)
        try:
            with errors_translated():
                connection = self.engine.connect()
                self._peak_use.see(pool.checkedout())
                # To end the transaction takes an answer as well.
                with self._watchdog.over(connection.connection.dbapi_connection), connection:
                    yield connection
        finally:
            if pool is not self.engine.pool:
                pool.dispose()  # it was given back to a pool that nobody has any more
            elif self._peak_use.is_met_by_less_than(pool.checkedin()):
                self.engine.dispose()
            self._close_unused()

    def autocommit(self, statement: TextClause, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """The rows that it answers, which have names; it is a transaction of its own.

        A server that stood still carries out what has reached it when it goes on, and commits it, though nobody waits
        for its answer any more.
        """
        with self._single() as single:
            return single.rows((statement, parameters), self._preparation)

    def commit_after_read(
        self, statement: TextClause, parameters: Mapping[str, Any], read: Callable[[Sequence[Any]], T]
    ) -> T:
        """What is read in the rows that it answers; it lasts only then, at the price of a second journey."""
        with self._single() as single:
            return single.read((statement, parameters), self._preparation, read)

    @contextmanager
    def _single(self) -> Iterator[AutocommitConnection]:
        """A connection of its own, as the pool would take as long as a short statement."""
        with errors_translated():
            single = self._idle_one() or AutocommitConnection(self.connect())
            try:
                with self._watchdog.over(single.connection):
                    yield single
            finally:
                if single.connection.closed:
                    # What cut this one has cut the others as well.
                    self.close()
                elif single.is_idle:
                    self._put_back(single)
                else:
                    single.connection.close()

    def close(self) -> None:
        """Give the connections back. Others are made where there is need of them."""
        while single := self._idle_one():
            single.connection.close()
        self.engine.dispose()

    def _put_back(self, single: AutocommitConnection) -> None:
        single.used_at = time.monotonic()
        self._idle.append(single)
        self._close_unused()

    def _close_unused(self) -> None:
        # Who needs one takes the last that was put back, so the first is the one that was not needed for the longest.
        overdue = time.monotonic() - MAX_IDLE_SECONDS
        with suppress(IndexError):
            while len(self._idle) > 1 and self._idle[0].used_at < overdue:
                self._idle.popleft().connection.close()

    def _idle_one(self) -> AutocommitConnection | None:
        with suppress(IndexError):
            return self._idle.pop()
        return None

    def _connected(self) -> Any:
        given = psycopg2.extensions.parse_dsn(self._url)
        defaults = {key: self._defaults[key] for key in self._defaults.keys() - given.keys()}
        try:
            connection = psycopg2.connect(self._url, **defaults)
            connection.autocommit = True
            with self._watchdog.over(connection), connection.cursor() as cursor:
                cursor.execute(APPLY_SETTINGS, (list(SESSION_SETTINGS.keys()), list(SESSION_SETTINGS.values())))
            connection.autocommit = False
        except psycopg2.Error:
            self._try_again_at = time.monotonic() + RECONNECT_SECONDS
            raise
        self._try_again_at = None
        return connection


@contextmanager
def errors_translated() -> Iterator[None]:
    """What the driver raises becomes what the application knows."""
    try:
        yield
    except PoolTimeout as error:
        raise StorageUnavailable from error
    except DBAPIError as error:
        if isinstance(error.orig, CONFLICT_ERRORS):
            raise StorageConflict from error
        if error.connection_invalidated or isinstance(error.orig, UNAVAILABLE_ERRORS):
            raise StorageUnavailable from error
        raise
    except CONFLICT_ERRORS as error:
        raise StorageConflict from error
    except UNAVAILABLE_ERRORS as error:
        raise StorageUnavailable from error


CONFLICT_ERRORS = (
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.LockNotAvailable,
    *SHARED_SESSION_ERRORS,
)
UNAVAILABLE_ERRORS = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    psycopg2.errors.UndefinedTable,
    psycopg2.errors.UndefinedColumn,
    psycopg2.errors.InvalidColumnReference,
    psycopg2.errors.ReadOnlySqlTransaction,
)
"""A table, a column or an index that is not there yet, or a standby that was reached: a database that is not ready."""
