"""The migration that creates indexes: it waits for all open transactions, and leaves no setting in any session."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from time import sleep

import pytest
from alembic import command
from alembic.config import Config

from adapters.postgres import Database, Migration
from adapters.postgres.migrate import MIGRATIONS
from application.errors import StorageUnavailable
from tests.concurrency import asked, until
from tests.pgbouncer import needs_pgbouncer, pgbouncer

BEFORE = "0008"
UNTOUCHED, OURS = "7s", "1s"
"""The limits of a session that no process has prepared, and of one that a process of ours has."""
SESSIONS = 3
CREATING = "FROM pg_stat_activity WHERE query ~ '^CREATE .*INDEX CONCURRENTLY' AND state = 'active'"
INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
HELD = "LOCK TABLE tasks IN ROW EXCLUSIVE MODE"

LOCK_SECONDS = 1.0
"""The limit of waits for locks in our sessions."""


@pytest.fixture
def direct(empty_url: str) -> Iterator[Database]:
    """A database with the tables before the indexes."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with closing(Database(empty_url)) as database:
        with database.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, BEFORE)
            connection.exec_driver_sql(f"ALTER DATABASE empty SET lock_timeout = '{UNTOUCHED}'")
            connection.commit()
        yield database


@pytest.fixture(params=["direct", pytest.param("pooled", marks=needs_pgbouncer)])
def migrated(request: pytest.FixtureRequest, direct: Database, empty_url: str, tmp_path: Path) -> Iterator[Database]:
    """The same database as the migration reaches it: directly, or behind a pooler of few sessions."""
    is_pooled = request.param == "pooled"
    reach = pgbouncer(empty_url, tmp_path, SESSIONS) if is_pooled else nullcontext(empty_url)
    with reach as url, closing(Database(url)) as database:
        yield database


def lock_timeouts(database: Database) -> set[str]:
    """The limits of waits for locks in the sessions that clients of the database get."""
    connections = [database.engine.connect() for _ in range(SESSIONS)]
    found = {str(each.exec_driver_sql("SHOW lock_timeout").scalar_one()) for each in connections}
    for each in connections:
        each.close()
    return found


def test_indexes_are_created_once_a_transaction_that_goes_on_for_longer_than_any_limit_has_ended(
    direct: Database, migrated: Database, background: ThreadPoolExecutor
):
    with direct.engine.connect() as holder:
        holder.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        holder.exec_driver_sql(HELD)
        migrating = background.submit(Migration(migrated))
        sleep(LOCK_SECONDS + 0.5)  # The server itself measures the time.
        assert not migrating.done()
    assert migrating.result(timeout=30)
    assert asked(direct, INVALID) == [(0,)]
    assert lock_timeouts(migrated) <= {UNTOUCHED, OURS}


def test_a_migration_that_is_broken_off_leaves_no_session_without_a_limit(
    direct: Database, migrated: Database, background: ThreadPoolExecutor
):
    with direct.engine.connect() as holder:
        holder.exec_driver_sql(HELD)
        migrating = background.submit(Migration(migrated))
        until(lambda: asked(direct, f"SELECT pg_cancel_backend(pid) {CREATING}"))
        with pytest.raises(StorageUnavailable):
            migrating.result(timeout=20)
    assert lock_timeouts(migrated) <= {UNTOUCHED, OURS}
    assert Migration(migrated)()
