"""Settings of a session: the service's own, whatever the role, the database, the address or the environment say."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.postgres import Database, Migration, PostgresClock
from application.errors import StorageUnusable
from application.json.text import dump
from application.ports.task_repository import TaskRecord
from domain.ids import IdempotencyKey
from domain.settlement import Settlement
from tests.concurrency import asked, new_database, with_settings
from tests.pgbouncer import needs_pgbouncer, pgbouncer
from tests.steps import BOOM, NOW, PLAIN, add, add_once, add_one, claim, claim_one, settle, stored, submission
from tests.storage import in_postgres

ODD = {
    "client_encoding": "LATIN1",
    "DateStyle": "German",
    "TimeZone": "Asia/Kathmandu",
    "IntervalStyle": "iso_8601",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "array_nulls": "off",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "statement_timeout": "1min",
    "transaction_timeout": "1min",
    "lock_timeout": "1min",
    "idle_in_transaction_session_timeout": "1min",
    "synchronous_commit": "off",
    "jit": "on",
    "plan_cache_mode": "force_custom_plan",
    "row_security": "off",
    "transform_null_equals": "on",
}
"""Settings that roles and databases have in the wild, or could have."""
TEXT = "é ‘😀’ \\ \\n '' \" NULL {}"
NAME = "odd_settings"


def set_defaults(server: Database, prefix: str, settings: Mapping[str, str]) -> None:
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name, value in settings.items():
            connection.exec_driver_sql(f"{prefix} SET {name} = '{value}'")


@pytest.fixture(
    params=[
        "the database",
        "the role",
        "the address",
        "variables of libpq",
        pytest.param("a pooler", marks=needs_pgbouncer),
    ]
)
def odd_url(
    request: pytest.FixtureRequest,
    database: Database,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The address of a migrated database of its own, whose sessions begin with ODD settings."""
    with ExitStack() as stack:
        url = stack.enter_context(new_database(postgres_url, NAME))
        with closing(Database(url)) as migrated:
            Migration(migrated)()
            (role,) = asked(migrated, "SELECT quote_ident(current_user)")[0]
            known = {name for (name,) in asked(migrated, "SELECT name FROM pg_settings")}
        odd = {name: value for name, value in ODD.items() if name in known}
        if request.param == "the address":
            yield f"{with_settings(url, **odd)}&client_encoding=LATIN1"
            return
        if request.param == "variables of libpq":
            monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
            monkeypatch.setenv("PGDATESTYLE", "German")
            monkeypatch.setenv("PGTZ", "Asia/Kathmandu")
            monkeypatch.setenv("PGOPTIONS", " ".join(f"-c {name}={value}" for name, value in odd.items()))
            yield url
            return
        in_database = f"ALTER ROLE {role} IN DATABASE {NAME}" if request.param == "the role" else ""
        set_defaults(database, in_database or f"ALTER DATABASE {NAME}", odd)
        if request.param == "a pooler":
            url = stack.enter_context(pgbouncer(url, tmp_path, pool_size=2))
        yield url


@pytest.fixture
def odd(odd_url: str) -> Iterator[Database]:
    """The service's way to that database."""
    with closing(Database(odd_url)) as odd:
        yield odd


EXPECTED = {
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
    "array_nulls": "on",
    "default_transaction_isolation": "read committed",
    "transaction_isolation": "read committed",
    "statement_timeout": "0",
    "transaction_timeout": "0",
    "synchronous_commit": "on",
    "jit": "off",
}


def test_a_session_has_the_settings_of_the_service(odd: Database):
    found = dict(asked(odd, "SELECT name, current_setting(name) FROM pg_settings"))
    assert {name: found.get(name, value) for name, value in EXPECTED.items()} == EXPECTED
    assert asked(odd, "SHOW DateStyle")[0][0].startswith("ISO, ")
    ((shown,),) = [tuple(row) for row in odd.execute_autocommit(text("SHOW client_encoding"), {})]
    assert shown == "UTF8"


def test_a_task_comes_back_as_it_went_in(odd: Database):
    storage = in_postgres(odd)
    created = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    args, printed = dump({"x": TEXT}), f"{TEXT}\n"
    added = add_one(storage, args=args, now=created, key=TEXT, fingerprint="f", timeout=0.1 + 0.2, run_at=created)
    assert stored(storage, added.id) == TaskRecord(added, args, None, key=IdempotencyKey(TEXT))
    assert add_once(storage, submission(args=args, key=TEXT, fingerprint="f")) == [None]
    claimed = claim_one(storage, now=created)
    assert claimed.timeout == 0.1 + 0.2
    assert settle(storage, Settlement.succeeded(claimed, created, args, printed)) == []
    done = stored(storage, added.id)
    assert (done.args, done.result, done.task.run_at, done.task.finished) == (args, args, created, created)
    with storage.begin() as work:
        assert [each.log for each in work.tasks.attempts(added.id)] == [printed]


def test_many_tasks_with_missing_values_come_back(odd: Database):
    storage = in_postgres(odd)
    added = add(storage, *(submission(timeout=1.5 if each % 2 else None) for each in range(50)))
    assert [stored(storage, each.id).task for each in added] == list(added)
    claimed = [each.task for each in claim(storage)]
    settlements = [Settlement.failed(each, NOW, BOOM, PLAIN, 0.5, TEXT) for each in claimed]
    assert settle(storage, *settlements) == []


def test_the_clock_of_the_database_is_read_exactly(odd: Database):
    clock = PostgresClock(odd)
    clock.measure()
    ((there,),) = asked(odd, "SELECT clock_timestamp()")
    assert abs(there - clock.now()) < timedelta(seconds=1)


def test_a_commit_of_another_transaction_is_seen_by_the_next_statement(odd: Database):
    storage = in_postgres(odd)
    with odd.transaction() as connection:
        count = text("SELECT count(*) FROM tasks")
        before = connection.execute(count).scalar_one()
        add_one(storage)
        assert connection.execute(count).scalar_one() == before + 1


def test_a_choice_between_standbys_stays(postgres_url: str):
    for chosen in ("local", "remote_write"):
        with closing(Database(with_settings(postgres_url, synchronous_commit=chosen))) as service:
            assert asked(service, "SHOW synchronous_commit") == [(chosen,)]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_JP"])
def test_a_database_that_cannot_hold_every_character_is_refused_with_a_sentence(postgres_url: str, encoding: str):
    with other_encoding(postgres_url, encoding) as url:
        assert_refused(url, encoding)


@needs_pgbouncer
def test_a_pooler_hides_the_encoding_of_no_database(postgres_url: str, tmp_path: Path):
    with other_encoding(postgres_url, "LATIN1") as url, pgbouncer(url, tmp_path) as pooled:
        assert_refused(pooled, "LATIN1")


def other_encoding(postgres_url: str, encoding: str) -> AbstractContextManager[str]:
    return new_database(postgres_url, NAME, f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")


def assert_refused(url: str, encoding: str) -> None:
    with closing(Database(url)) as service, pytest.raises(StorageUnusable) as refusal:
        Migration(service)()
    assert str(refusal.value) == (
        f"its encoding is {encoding}, which cannot hold every character: create another one with CREATE DATABASE … "
        "ENCODING 'UTF8' TEMPLATE template0"
    )
