"""Sessions that cannot do the work: read-only, ended by the server while idle, or on the wrong host."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from adapters.postgres import Database, Migration, PostgresListener, PostgresStore
from adapters.postgres.session import READ_ONLY_SECONDS
from application.errors import StorageUnavailable
from application.ports.wake_up import Topic
from tests.concurrency import asked, loans, new_database, transactions, until
from tests.pgbouncer import needs_pgbouncer, pgbouncer
from tests.steps import add_one, submission
from tests.storage import in_postgres

NAME = "tested_sessions"
TERMINATE = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = '{NAME}'"
READ_ONLY = "ALTER DATABASE {} SET default_transaction_read_only = on"
RESET = "ALTER DATABASE {} RESET default_transaction_read_only"
BECOME_READ_ONLY = text("SELECT set_config('default_transaction_read_only', 'on', false), pg_backend_pid() AS pid")
BACKEND = text("SELECT pg_backend_pid() AS pid")


@pytest.fixture
def own_url(postgres_url: str) -> Iterator[str]:
    """The address of a migrated database of its own."""
    with new_database(postgres_url, "own_sessions") as url:
        with closing(Database(url)) as migrated:
            Migration(migrated)()
        yield url


@contextmanager
def read_only(server: Database) -> Iterator[None]:
    """Let every new session on the database refuse to write during the block."""
    for command in (READ_ONLY, None, RESET):
        if command is None:
            yield
            continue
        with server.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql(command.format("own_sessions"))


def add_autocommit(database: Database) -> object:
    return in_postgres(database).autocommit.add([submission()])


def add_in_work(database: Database) -> object:
    with PostgresStore(database).begin() as work:
        added = work.tasks.add([submission()])
        work.commit()
    return added


def succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except StorageUnavailable:
        return False
    return True


WAYS = pytest.mark.parametrize("write", [add_autocommit, add_in_work])


@WAYS
def test_sessions_from_a_read_only_spell_are_replaced_after_it(
    database: Database, own_url: str, write: Callable[[Database], object]
):
    with closing(Database(own_url)) as service:
        with read_only(database):
            for _ in range(3):
                assert not succeeds(lambda: write(service))
                assert not succeeds(Migration(service).check)
                transactions(3, service)
        time.sleep(READ_ONLY_SECONDS)
        assert write(service)
        Migration(service).check()


@WAYS
def test_an_error_of_a_read_only_session_ends_it_and_the_idle_ones(
    database: Database, own_url: str, write: Callable[[Database], object], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("adapters.postgres.session.READ_ONLY_SECONDS", 1e6)
    with closing(Database(own_url)) as service:
        with read_only(database):
            transactions(5, service)
            loans(5, service)
        assert not succeeds(lambda: write(service))
        assert all(write(service) for _ in range(5))
        assert add_autocommit(service)
        assert add_in_work(service)


def test_a_session_that_became_read_only_is_left_though_it_only_reads(own_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("adapters.postgres.session.CHECK_SECONDS", 0.0)
    with closing(Database(own_url)) as service:
        [before] = service.execute_autocommit(BECOME_READ_ONLY, {})
        [after] = service.execute_autocommit(BACKEND, {})
        assert after.pid != before.pid


def test_a_listener_leaves_a_session_that_cannot_write(
    database: Database, own_url: str, monkeypatch: pytest.MonkeyPatch
):
    def backends() -> list[tuple[int]]:
        return asked(database, f"SELECT pid FROM pg_stat_activity WHERE application_name = '{NAME}'")

    monkeypatch.setattr("adapters.postgres.session.READ_ONLY_SECONDS", 0.1)
    with closing(Database(own_url, application_name=NAME)) as service, closing(PostgresListener(service)) as listener:
        with read_only(database):
            listener.listen(lambda _: None, [Topic.CHANGED])
            before = until(backends)
        until(lambda: (found := backends()) and found != before)


@needs_pgbouncer
@WAYS
def test_sessions_of_a_pooler_from_a_read_only_spell_are_ended(
    database: Database, own_url: str, write: Callable[[Database], object], tmp_path: Path
):
    with pgbouncer(own_url, tmp_path) as url, closing(Database(url)) as service:
        with read_only(database):
            for _ in range(3):
                assert not succeeds(lambda: write(service))
        until(lambda: succeeds(lambda: write(service)), seconds=5)


@pytest.mark.parametrize("number", [1, 5])
def test_sessions_that_ended_while_they_were_idle_fail_nothing(database: Database, postgres_url: str, number: int):
    with closing(Database(postgres_url, application_name=NAME)) as service:
        transactions(number, service)
        loans(number, service)
        assert len(asked(database, TERMINATE)) == 2 * number
        add_one(in_postgres(service))
        assert add_autocommit(service)
        assert add_in_work(service)


@pytest.mark.parametrize("lock", ["LOCK TABLE tasks IN SHARE MODE", "LOCK TABLE tasks IN EXCLUSIVE MODE"])
def test_the_database_is_not_ready_while_a_lock_keeps_all_from_writing(database: Database, lock: str):
    check = Migration(database).check
    check()
    with database.engine.begin() as connection:
        connection.execute(text(lock))
        with pytest.raises(StorageUnavailable):
            check()
    check()


def test_a_host_that_can_write_is_taken_before_one_that_cannot(database: Database, own_url: str, postgres_url: str):
    parts = urlsplit(own_url)
    hosts = f"{parts.hostname}:{parts.port},{parts.hostname}:{parts.port}"
    url = own_url.replace(f"{parts.hostname}:{parts.port}", hosts)
    with read_only(database), closing(Database(url)) as service:
        # No host can write: the primary still serves reads.
        transactions(1, service)
        assert not succeeds(lambda: add_autocommit(service))
    with closing(Database(url)) as service, closing(service.connect()) as session:
        assert session.get_dsn_parameters()["target_session_attrs"] == "read-write"


def test_an_address_decides_itself_which_hosts_it_takes(postgres_url: str):
    with (
        closing(Database(f"{postgres_url}?target_session_attrs=any")) as service,
        closing(service.connect()) as session,
    ):
        assert session.get_dsn_parameters()["target_session_attrs"] == "any"
