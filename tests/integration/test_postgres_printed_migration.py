"""The SQL of a migration: what it prints makes the same tables as the migration itself, from any revision on."""

from collections.abc import Sequence
from contextlib import closing

import psycopg2
import pytest
from alembic import command
from alembic.config import Config

from adapters.postgres import Database, Migration
from adapters.postgres.migrate import MIGRATIONS
from application.errors import OutdatedTables
from tests.concurrency import asked

SCHEMA: Sequence[str] = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema = 'public' ORDER BY 1, 2",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    # Other tests take constraints away, and make them again.
    "SELECT conrelid::regclass::text, replace(pg_get_constraintdef(oid), ' NOT VALID', '') FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    "SELECT proname, prosrc, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    "SELECT version_num FROM alembic_version",
)
BEFORE_FAILURES = "0016"
FAILED = """
    INSERT INTO tasks (type, status, priority, run_at, created, expire, ttl, args, attempt, max_attempts, max_losses,
        claims, error, finished)
    VALUES ('add', 'failed', 0, now(), now(), now(), 60, '{}', 1, 1, 3, 1, '["ValueError", "boom 7", 1]', now())
"""


def execute(url: str, printed: str) -> None:
    """Execute the statements one by one, as psql does."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        for statement in printed.split(";\n\n"):
            if statement.strip():
                connection.cursor().execute(statement)


def assert_same_schema(database: Database, migrated: Database) -> None:
    for question in SCHEMA:
        assert asked(database, question) == asked(migrated, question)


def test_the_printed_sql_makes_the_tables(empty_url: str, migrated_database: Database):
    with closing(Database(empty_url)) as database:
        migration = Migration(database)
        printed = migration.sql()
        with pytest.raises(OutdatedTables):
            migration.verify()
        execute(empty_url, printed)
        migration.verify()
        assert_same_schema(database, migrated_database)
        assert not migration()


def test_the_printed_sql_begins_behind_the_present_revision(empty_url: str, migrated_database: Database):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with closing(Database(empty_url)) as database:
        with database.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, BEFORE_FAILURES)
            connection.exec_driver_sql(FAILED)
            connection.commit()
        printed = Migration(database).sql()
        assert "CREATE TABLE tasks" not in printed
        execute(empty_url, printed)
        assert_same_schema(database, migrated_database)
        assert asked(database, "SELECT type, task FROM task_failures") == [("add", 1)]


def test_nothing_is_printed_where_there_is_nothing_to_do(
    migrated_database: Database, capsys: pytest.CaptureFixture[str]
):
    assert Migration(migrated_database).sql() == ""
    assert capsys.readouterr() == ("", "")
