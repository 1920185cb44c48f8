"""The migration of the tables to the newest revision, however many processes start it at once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2.errors
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from adapters.postgres import statements
from adapters.postgres.database import Database
from adapters.postgres.driver_errors import translated_errors
from adapters.postgres.encoding import check_encoding
from adapters.postgres.usability import check_tables, check_version, usable_database
from application.errors import StorageConflict, StorageUnavailable

NEWEST_REVISION = "0034"
"""The revision that this code works with: the head of migrations/versions."""

MIGRATIONS = Path(__file__).parent / "migrations"
OLDER_REVISIONS = {path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")} - {
    NEWEST_REVISION
}
LOCK_KEY = 8_134_620_041
"""Key of the advisory lock that one migrating process holds."""
POLL_SECONDS = 0.2
"""Seconds between two attempts to get that lock."""
LIFT_TIMEOUTS = text(
    "SELECT set_config(name, '0', true) FROM pg_settings "
    "WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')"
)
"""Lifts the limits of the transaction that holds the lock, which is idle while the tables are migrated."""
MIGRATED_BY_ANOTHER = (
    psycopg2.errors.DuplicateTable,
    psycopg2.errors.DuplicateColumn,
    psycopg2.errors.DuplicateObject,
    psycopg2.errors.DuplicateFunction,
    psycopg2.errors.UniqueViolation,
    psycopg2.errors.UndefinedObject,
)
"""Errors of a revision that another process carries out at the same time, where this one has lost its lock."""


class Migration:
    """Migrates from any older revision to NEWEST_REVISION."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self) -> bool:
        """Migrate the tables, and tell whether there was anything to do.

        Raises StorageUnavailable: the database is away.
        Raises StorageUnusable: trying again does not help.
        """
        with usable_database(), translated_errors():
            with self._database.transaction() as connection:
                check_version(connection)
                check_encoding(connection)
            had_to = not self._is_done()
            if had_to:
                with self._locked() as lock:
                    if not self._is_done():
                        self._upgrade(lock)
            with self._database.transaction() as connection:
                check_tables(connection)
            return had_to

    def check(self) -> None:
        """Check that a write could succeed, and that the tables are not older than NEWEST_REVISION.

        Raises StorageUnavailable: one of these is not so.
        """
        try:
            if not self._is_done():
                raise StorageUnavailable
            with self._database.transaction() as connection:
                connection.execute(statements.TRY_WRITE)
                connection.commit()
        except (StorageConflict, DBAPIError) as error:  # A conflict, or an error that only an administrator mends.
            raise StorageUnavailable from error

    def _is_done(self) -> bool:
        """Tell whether the tables have NEWEST_REVISION, or a newer one, as in the middle of a rolling update."""
        # Two statements, as selecting from a missing table would write an error to the log of the database.
        with self._database.transaction() as connection:
            if not _is_true(connection, "SELECT to_regclass('alembic_version') IS NOT NULL"):
                return False
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found is not None and found not in OLDER_REVISIONS

    @contextmanager
    def _locked(self) -> Iterator[Connection]:
        """Hold the advisory lock during the block, by the connection that it is given.

        A lock of a transaction, since a pooler gives the session of an open transaction to no other client.
        """
        # Read committed, since an older snapshot would stall CREATE INDEX CONCURRENTLY. Polled for, since a wait for
        # the lock inside the database would stall another's.
        read_committed = self._database.engine.execution_options(isolation_level="READ COMMITTED")
        with read_committed.connect() as connection:
            while not _is_true(connection, f"SELECT pg_try_advisory_xact_lock({LOCK_KEY})"):
                connection.rollback()
                time.sleep(POLL_SECONDS)
            connection.execute(LIFT_TIMEOUTS)
            yield connection

    def _upgrade(self, lock: Connection) -> None:
        # Imported here: alembic takes a third of a second to import, and is needed once in the life of a database.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self._database.engine.connect() as connection:
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
                connection.commit()
            except DBAPIError as error:
                if isinstance(error.orig, MIGRATED_BY_ANOTHER) and not _is_alive(lock):
                    raise StorageConflict from error
                raise


def _is_alive(connection: Connection) -> bool:
    """Tell whether the transaction of this connection is still open."""
    try:
        return _is_true(connection, "SELECT true")
    except DBAPIError:
        return False


def _is_true(connection: Connection, question: str) -> bool:
    return bool(connection.execute(text(question)).scalar())
