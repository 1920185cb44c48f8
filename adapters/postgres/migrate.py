"""The migration of the tables to the newest revision, however many processes start it at once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from adapters.postgres.database import Database
from adapters.postgres.driver_errors import translated_errors
from application.errors import StorageUnavailable

NEWEST_REVISION = "0012"
"""The revision that this code works with: the head of migrations/versions."""

MIGRATIONS = Path(__file__).parent / "migrations"
OLDER_REVISIONS = {path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")} - {
    NEWEST_REVISION
}
LOCK_KEY = 8_134_620_041
"""Key of the advisory lock that one migrating process holds."""
POLL_SECONDS = 0.2
"""Seconds between two attempts to get that lock."""


class Migration:
    """Migrates from any older revision to NEWEST_REVISION."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self) -> bool:
        """Migrate the tables, and tell whether there was anything to do.

        Raises StorageUnavailable: the database is away.
        """
        with translated_errors():
            if self._is_done():
                return False
            with self._locked():
                if not self._is_done():
                    self._upgrade()
            return True

    def check(self) -> None:
        """Check that the database answers and that its tables are not older than NEWEST_REVISION.

        Raises StorageUnavailable: one of these is not so.
        """
        with translated_errors():
            if not self._is_done():
                raise StorageUnavailable

    def _is_done(self) -> bool:
        """Tell whether the tables have NEWEST_REVISION, or a newer one, as in the middle of a rolling update."""
        # Two statements, as selecting from a missing table would write an error to the log of the database.
        with self._database.transaction() as connection:
            if not _is_true(connection, "SELECT to_regclass('alembic_version') IS NOT NULL"):
                return False
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found is not None and found not in OLDER_REVISIONS

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the advisory lock during the block."""
        # Polled for: a wait for the lock inside the database would stall another's CREATE INDEX CONCURRENTLY.
        autocommit = self._database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with autocommit.connect() as connection:
            while not _is_true(connection, f"SELECT pg_try_advisory_lock({LOCK_KEY})"):
                time.sleep(POLL_SECONDS)
            try:
                yield
            finally:
                _is_true(connection, f"SELECT pg_advisory_unlock({LOCK_KEY})")

    def _upgrade(self) -> None:
        # Imported here: alembic takes a third of a second to import, and is needed once in the life of a database.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self._database.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()


def _is_true(connection: Connection, question: str) -> bool:
    return bool(connection.execute(text(question)).scalar())
