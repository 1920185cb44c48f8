"""The pool for transactions: SQLAlchemy's QueuePool, which closes its idle connections when fewer were enough."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

from adapters.postgres.driver_errors import SESSION_ENDING_ERRORS, translated_errors
from adapters.postgres.session import Session
from adapters.postgres.session_settings import MAX_IDLE_SECONDS
from adapters.postgres.watchdog import MIN_BYTES_PER_SECOND, Watchdog

CHECKOUT_SECONDS = 10.0
"""Seconds that a transaction waits for a free connection."""
PEAK_WINDOW_SECONDS = 30.0
"""Seconds over which the peak use is taken."""
LARGE_CHARACTERS = 500_000
"""Characters from which a statement is given more time to arrive."""
MIN_CONNECTIONS = 1
"""Number of open connections that is never too many, whatever the peak use was."""


class TransactionPool:
    """Lends connections for one transaction each. Safe to use from several threads.

    `connect`: opens a psycopg2 connection.
    `size`: the highest number of open connections.
    `watchdog`: watches each transaction.
    `on_disconnect`: is called after an error that ended a session, and for one that ended while it was idle.
    """

    def __init__(
        self, connect: Callable[[], Session], size: int, watchdog: Watchdog, on_disconnect: Callable[[], None]
    ) -> None:
        self._watchdog = watchdog
        self._on_disconnect = on_disconnect
        self.peak_use = PeakUse()
        self.engine: Engine = create_engine(
            "postgresql+psycopg2://",
            creator=connect,
            use_native_hstore=False,
            pool_size=size,
            max_overflow=0,
            pool_timeout=CHECKOUT_SECONDS,
            pool_use_lifo=True,
            hide_parameters=True,  # arguments and results are not for the log
        )
        event.listen(self.engine, "checkout", self._check_usable)
        event.listen(self.engine, "before_cursor_execute", _allow_time_to_arrive)
        event.listen(self.engine, "handle_error", self._end_session)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend a connection, and roll back unless the block commits. Raises what translated_errors raises."""
        pool = cast(QueuePool, self.engine.pool)
        try:
            with translated_errors():
                connection = self.engine.connect()
                self.peak_use.record(pool.checkedout())
                # The watchdog goes around the connection: ending the transaction takes an answer as well.
                with self._watchdog.watch(connection.connection.dbapi_connection), connection:
                    yield connection
        finally:
            self._close_surplus(pool)

    def close(self) -> None:
        """Close the idle connections; a lent one is closed when it is given back."""
        self.engine.dispose()

    def _end_session(self, failure: ExceptionContext) -> None:
        """End the session after one of SESSION_ENDING_ERRORS, and the idle ones, however they would go on."""
        if isinstance(failure.original_exception, SESSION_ENDING_ERRORS) and failure.connection:
            cast(Session, failure.connection.connection.dbapi_connection).end()
            failure.is_disconnect = True
        if failure.is_disconnect:
            self._on_disconnect()

    def _check_usable(self, session: Session, record: object, proxy: object) -> None:
        """Have the pool replace a session that cannot be used any more, and the idle ones as well."""
        if not session.is_usable:
            self._on_disconnect()
            raise DisconnectionError

    def _close_surplus(self, pool: QueuePool) -> None:
        if pool is not self.engine.pool:
            pool.dispose()  # The connection went back to a pool that close() has replaced.
        elif self.peak_use.window_ended_below(pool.checkedin()):
            self.close()


class PeakUse:
    """Peak of connections in use per window of PEAK_WINDOW_SECONDS. Unsynchronised: may undercount."""

    def __init__(self) -> None:
        self._peak, self._ends = 0, time.monotonic() + PEAK_WINDOW_SECONDS

    def record(self, in_use: int) -> None:
        """Record the number of connections that are in use now."""
        self._peak = max(self._peak, in_use)

    def window_ended_below(self, open: int) -> bool:
        """Tell whether the window has ended with a peak below the number of open connections; start the next one."""
        now = time.monotonic()
        if now < self._ends:
            return False
        peak, self._peak, self._ends = max(self._peak, MIN_CONNECTIONS), 0, now + PEAK_WINDOW_SECONDS
        return open > peak


def _allow_time_to_arrive(
    connection: Connection, cursor: Any, statement: str, parameters: Any, context: object, many: bool
) -> None:
    """Let the transaction be idle for as long as a large statement needs to arrive over a slow line."""
    characters = (
        sum(len(each) for each in parameters.values() if type(each) is str) if isinstance(parameters, dict) else 0
    )
    if characters > LARGE_CHARACTERS:
        seconds = MAX_IDLE_SECONDS + 4 * characters // MIN_BYTES_PER_SECOND  # A character may take four bytes.
        cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{seconds}s'")
