"""The autocommit connections: each statement on them is a transaction of its own, and goes straight to the driver."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extras import NamedTupleCursor
from sqlalchemy import TextClause

from adapters.postgres.driver_errors import SESSION_ENDING_ERRORS, translated_errors
from adapters.postgres.prepared import PLANNED_FOR, SHARED_SESSION_ERRORS, Preparation, for_the_driver
from adapters.postgres.session import Session
from adapters.postgres.watchdog import Watchdog

MAX_IDLE_SECONDS = 30.0
"""Seconds after which idle connections are closed, all but one."""

FRESH_SECONDS = 0.005
"""Seconds after its use for which a connection is lent again without a look at its session."""

T = TypeVar("T")


class AutocommitConnection:
    """A psycopg2 connection in autocommit mode, which prepares the hot statements when it first sends them."""

    def __init__(self, connection: Session, preparation: Preparation, generation: int) -> None:
        connection.autocommit = True
        self.connection: Any = connection
        self.used_at = 0.0
        self.generation = generation
        self._preparation = preparation
        self._prepared: set[str] = set()

    @property
    def is_idle(self) -> bool:
        """Whether no transaction is open. One that failed halfway ends when its connection is closed."""
        return bool(self.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE)

    @property
    def is_usable(self) -> bool:
        """Whether the session can be used. One that was used just now is not looked at: to look, threads may wait."""
        now = time.monotonic()
        is_fresh = now - self.used_at < FRESH_SECONDS and now < self.connection.check_at
        return is_fresh or bool(self.connection.is_usable)

    def execute(self, statement: TextClause, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Return the rows of the statement, as named tuples."""
        with self._executed(statement, parameters) as cursor:
            return list(cursor.fetchall())

    def commit_after_read(
        self, statement: TextClause, parameters: Mapping[str, Any], read: Callable[[Sequence[Any]], T]
    ) -> T:
        """Return the value that `read` makes of the rows. Commit only after that."""
        with self._executed(statement, parameters, begin="BEGIN; ") as cursor:
            found = read(cursor.fetchall())
            cursor.execute("COMMIT")
            return found

    @contextmanager
    def _executed(self, statement: TextClause, parameters: Mapping[str, Any], begin: str = "") -> Iterator[Any]:
        with self.connection.cursor(cursor_factory=NamedTupleCursor) as cursor:
            try:
                limit = parameters.get(PLANNED_FOR)
                sent = self._preparation.to_send(for_the_driver(statement), limit, cursor, self._prepared)
                cursor.execute(begin + sent, parameters)
                yield cursor
            except SHARED_SESSION_ERRORS as error:
                self._preparation.note_failure(error)
                raise


class AutocommitPool:
    """Lends autocommit connections, the one given back last first. Safe to use from several threads.

    Not SQLAlchemy's pool: its checkout takes as long as a short statement.

    `connect`: opens a psycopg2 connection.
    `preparation`: says which statements are prepared.
    `watchdog`: watches each loan.
    `on_disconnect`: is called after a loan during which the session ended, and for one that ended while it was idle.
    """

    def __init__(
        self,
        connect: Callable[[], Session],
        preparation: Preparation,
        watchdog: Watchdog,
        on_disconnect: Callable[[], None],
    ) -> None:
        self._connect = connect
        self._preparation = preparation
        self._watchdog = watchdog
        self._on_disconnect = on_disconnect
        self._idle: deque[AutocommitConnection] = deque()
        self._generation = 0

    @contextmanager
    def lend(self) -> Iterator[AutocommitConnection]:
        """Lend a connection to one thread. Raises what translated_errors raises."""
        with translated_errors():
            lent = self._last_usable() or self._new()
            try:
                with self._watchdog.watch(lent.connection):
                    yield lent
            except SESSION_ENDING_ERRORS:
                lent.connection.end()
                raise
            finally:
                self._take_back(lent)

    def close_unused(self) -> None:
        """Close the connections that were not used for MAX_IDLE_SECONDS, all but one."""
        # The last one given back is lent first, so the first in the queue has been idle for the longest.
        overdue = time.monotonic() - MAX_IDLE_SECONDS
        with suppress(IndexError):  # Another thread may take the last one meanwhile.
            while len(self._idle) > 1 and self._idle[0].used_at < overdue:
                self._idle.popleft().connection.close()

    def close(self) -> None:
        """Close the idle connections, and each lent one when it is given back."""
        self._generation += 1
        while idle := self._last_idle():
            idle.connection.close()

    def _take_back(self, lent: AutocommitConnection) -> None:
        if lent.connection.closed:
            self._on_disconnect()
        elif lent.is_idle and lent.generation == self._generation:
            lent.used_at = time.monotonic()
            self._idle.append(lent)
            self.close_unused()
        else:
            lent.connection.close()

    def _new(self) -> AutocommitConnection:
        return AutocommitConnection(self._connect(), self._preparation, self._generation)

    def _last_usable(self) -> AutocommitConnection | None:
        """The connection that was given back last; none if it cannot be used any more, and then none is idle."""
        idle = self._last_idle()
        if idle is None or idle.is_usable:
            return idle
        idle.connection.close()
        self._on_disconnect()
        return None

    def _last_idle(self) -> AutocommitConnection | None:
        with suppress(IndexError):
            return self._idle.pop()
        return None
