"""Create and drop indexes in a migration, without blocking the work that goes on."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from alembic import op
from psycopg2.errors import LockNotAvailable
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError


def replace_indexes(created: Mapping[str, str], dropped: Sequence[str] = ()) -> None:
    """Create indexes, given by name with the statements that create them concurrently, and then drop others."""
    # Outside a transaction nothing is rolled back: first drop the index that a failed attempt may have left half built.
    context = op.get_context()
    with context.autocommit_block(), _printed_limits() if context.as_sql else _unlimited_waits(op.get_bind()):
        for name, index in created.items():
            _execute_until_unlocked(f"DROP INDEX CONCURRENTLY IF EXISTS {name}", index)
        for name in dropped:
            _execute_until_unlocked(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


@contextmanager
def _unlimited_waits(connection: Connection) -> Iterator[None]:
    """Let statements wait for all open transactions, however long that takes. No transaction waits for them.

    Behind a pooler the limit stays as it is, since the next client of the session would wait without one.
    """
    if not _owns_session(connection):
        yield
        return
    before = connection.exec_driver_sql("SHOW lock_timeout").scalar_one()
    connection.exec_driver_sql("SET lock_timeout = 0")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"SET lock_timeout = '{before}'")


@contextmanager
def _printed_limits() -> Iterator[None]:
    """The same of SQL that is printed, for a session of its own."""
    op.execute("SET lock_timeout = 0")
    yield
    op.execute("RESET lock_timeout")


def _owns_session(connection: Connection) -> bool:
    """Whether the session of the server is that of this connection: a pooler tells its clients another number."""
    expected = connection.connection.dbapi_connection.get_backend_pid()  # type: ignore[union-attr]
    return bool(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() == expected)


def _execute_until_unlocked(*statements: str) -> None:
    """Execute the statements, again from the first one where a wait for other transactions has met its limit."""
    while True:
        try:
            for statement in statements:
                op.execute(statement)
            return
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
