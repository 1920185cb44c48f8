"""The doctor's looks at a real server: rights, connections, forgotten snapshots, settings."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg2
import pytest

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.postgres import Database, Migration, PostgresInspector
from application.ports.inspection import Inspection

NAME = "flask-tasks"
NEW = timedelta(0)
SETTINGS = {"max_prepared_transactions": 2, "wal_level": "logical"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a migrated database of a server that knows prepared transactions and logical slots."""
    data = tmp_path_factory.mktemp("inspected") / "data"
    with EmbeddedPostgres(data, durable=False, settings=SETTINGS) as url:
        with closing(Database(url)) as database:
            Migration(database)()
        yield url


def inspected(url: str, old: timedelta = NEW) -> Inspection:
    with closing(Database(url, NAME)) as database:
        return PostgresInspector(database, NAME, old)()


def execute(url: str, *statements: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)


@pytest.fixture
def limited(url: str) -> Iterator[str]:
    """The address for a role that may read and write, and owns nothing."""
    execute(
        url,
        "CREATE ROLE limited LOGIN PASSWORD 'limited' CONNECTION LIMIT 9",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO limited",
    )
    parts = urlsplit(url)
    yield parts._replace(netloc=f"limited:limited@{parts.hostname}:{parts.port}").geturl()
    execute(url, "DROP OWNED BY limited", "DROP ROLE limited")


def test_a_server_without_anything_wrong_is_seen_as_it_is(url: str):
    found = inspected(url)
    assert int(found.version.partition(".")[0]) >= 13
    assert (found.rights.role, found.rights.schema, found.rights.foreign_tables) == ("postgres", "public", [])
    assert (found.rights.may_create, found.rights.sees_all, found.rights.is_read_only) == (True, True, False)
    assert (found.old_transactions, found.prepared_transactions, found.unused_slots) == ([], [], [])


def test_settings_are_told_as_the_server_has_them(url: str):
    """The tests run without fsync."""
    expected = {"fsync": "off", "full_page_writes": "off", "autovacuum": "on", "track_counts": "on"}
    assert inspected(url).settings == expected


def test_the_rights_and_the_bound_of_a_role_that_owns_nothing_are_seen(limited: str):
    found = inspected(limited)
    assert (found.rights.role, found.rights.may_create, found.rights.sees_all) == ("limited", False, False)
    assert "tasks" in found.rights.foreign_tables
    assert found.connections.allowed == 9


def test_a_read_only_database_is_seen(url: str):
    name = urlsplit(url).path[1:]
    execute(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert inspected(url).rights.is_read_only
    execute(
        url, "SET default_transaction_read_only = off", f"ALTER DATABASE {name} RESET default_transaction_read_only"
    )


def test_connections_of_the_service_are_told_from_others(url: str, limited: str):
    with closing(psycopg2.connect(url, application_name=NAME)), closing(psycopg2.connect(url)):
        for address in (url, limited):
            found = inspected(address).connections
            assert (found.used_by_service, found.used - found.used_by_service) == (2, 1), address


def test_a_transaction_that_holds_vacuum_back_is_named_with_its_role(url: str):
    with closing(psycopg2.connect(url, application_name="report")) as forgotten, closing(psycopg2.connect(url)) as idle:
        idle.cursor().execute("SELECT 1")  # Between two statements it has no snapshot, and holds nothing back.
        forgotten.set_session("REPEATABLE READ")
        forgotten.cursor().execute("SELECT 1")
        (found,) = inspected(url).old_transactions
        assert (found.pid, found.role, found.application, found.state) == (
            forgotten.get_backend_pid(),
            "postgres",
            "report",
            "idle in transaction",
        )
        assert abs(found.since - datetime.now(UTC)) < timedelta(minutes=5)
        assert inspected(url, timedelta(hours=1)).old_transactions == []


def test_a_transaction_that_has_written_is_named_too(url: str):
    with closing(psycopg2.connect(url)) as forgotten:
        forgotten.cursor().execute("LOCK TABLE janitors; DELETE FROM janitors; SELECT pg_current_xact_id()")
        assert [each.pid for each in inspected(url).old_transactions] == [forgotten.get_backend_pid()]


def test_a_prepared_transaction_is_named(url: str):
    with closing(psycopg2.connect(url)) as connection:
        connection.cursor().execute("BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 'forgotten'")
    assert [each.name for each in inspected(url).prepared_transactions] == ["forgotten"]
    assert inspected(url, timedelta(hours=1)).prepared_transactions == []
    execute(url, "ROLLBACK PREPARED 'forgotten'")


def test_a_replication_slot_that_nothing_reads_from_is_named(url: str):
    execute(url, "SELECT pg_create_logical_replication_slot('forgotten', 'pgoutput')")
    assert inspected(url).unused_slots == ["forgotten"]
    execute(url, "SELECT pg_drop_replication_slot('forgotten')")
