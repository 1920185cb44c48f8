"""Bringing the tables up to date, however many processes start at once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from adapters.postgres.database import Database, errors_translated
from application.errors import StorageUnavailable

NEWEST_REVISION = "0010"
"""The revision that this code works with: the head of migrations/versions."""

MIGRATIONS = Path(__file__).parent / "migrations"
OLDER_REVISIONS = {path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")} - {
    NEWEST_REVISION
}
LOCK_KEY = 8_134_620_041
POLL_SECONDS = 0.2


class Migration:
    """The way from any older set of tables to the newest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self) -> bool:
        """After: the tables are those of NEWEST. Answers whether anything had to be done."""
        with errors_translated():
            if self._is_done():
                return False
            with self._alone():
                if not self._is_done():
                    self._upgrade()
            return True

    def check(self) -> None:
        """StorageUnavailable where the database does not answer, or has other tables."""
        with errors_translated():
            if not self._is_done():
                raise StorageUnavailable

    def _is_done(self) -> bool:
        """Whether the tables are of NEWEST, or newer than this code, as they are in the middle of an update."""
        # Asked in two steps: a table that is not there would be an error in the log of the database.
        with self._database.transaction() as connection:
            if not _ask(connection, "SELECT to_regclass('alembic_version') IS NOT NULL"):
                return False
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found is not None and found not in OLDER_REVISIONS

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Polls for the lock: waiting in the database for it would stall another's CREATE INDEX CONCURRENTLY."""
        autocommit = self._database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with autocommit.connect() as connection:
            while not _ask(connection, f"SELECT pg_try_advisory_lock({LOCK_KEY})"):
                time.sleep(POLL_SECONDS)
            try:
                yield
            finally:
                _ask(connection, f"SELECT pg_advisory_unlock({LOCK_KEY})")

    def _upgrade(self) -> None:
        # Alembic costs a third of a second to import, and is needed once in the life of a database.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self._database.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()


def _ask(connection: Connection, question: str) -> bool:
    return bool(connection.execute(text(question)).scalar())
