"""A database that is away: errors in every way in which it goes, recovery, and repeated requests."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

import psutil
import psycopg2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.postgres import Database, Migration, PostgresAutocommitStore, PostgresStore
from adapters.postgres.connector import RECONNECT_SECONDS
from application.errors import StorageConflict, StorageUnavailable
from domain.ids import TaskId
from domain.settlement import Settlement
from domain.task import Task
from tests.concurrency import asked, until, until_waiting, with_settings
from tests.steps import (
    BOOM,
    HANDLER,
    PLAIN,
    add,
    add_one,
    at,
    claim,
    claim_one,
    rescue,
    settle,
    stored,
    submission,
)
from tests.storage import Storage, in_postgres

NOWHERE = "postgresql://nobody:secret@127.0.0.1:1/nothing"
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
TERMINATE_COMMITTING = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@contextmanager
def unavailable() -> Iterator[None]:
    """Expect that the block is refused with a sentence for people, without any SQL."""
    with pytest.raises(StorageUnavailable) as refusal:
        yield
    assert str(refusal.value) == "the database is unavailable: try again later"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server that a test may stop. With synchronous_commit on, a commit waits for a standby that does not exist."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("own") / "data", durable=False)
    database = Database(server.start())
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ALTER SYSTEM SET synchronous_commit = local"))
        connection.execute(text("ALTER SYSTEM SET synchronous_standby_names = nobody"))
    database.close()
    server.stop()
    yield server
    server.stop()


@pytest.fixture
def own(server: EmbeddedPostgres) -> Iterator[Database]:
    """A migrated, empty database on that server."""
    database = Database(server.start())
    Migration(database)()
    with database.engine.begin() as connection:
        connection.execute(text("TRUNCATE tasks RESTART IDENTITY CASCADE"))
    yield database
    database.close()


def read(storage: Storage, id: int) -> Task:
    """Return a task from a unit of work."""
    with storage.begin() as work:
        found = work.tasks.get(TaskId(id))
    assert found is not None
    return found.task


def answers(storage: Storage) -> bool:
    with suppress(StorageUnavailable):
        return read(storage, 1).id == 1
    return False


class TestUnavailable:
    def test_nothing_listens_there(self):
        database = Database(NOWHERE)
        with unavailable():
            Migration(database)()
        with unavailable(), PostgresStore(database).begin():
            pass

    def test_the_connection_was_terminated(self, storage: Storage, database: Database):
        with unavailable(), storage.begin() as work:
            work.tasks.get(TaskId(1))
            assert asked(database, TERMINATE)
            work.tasks.get(TaskId(1))
        with storage.begin() as work:
            assert work.tasks.get(TaskId(1)) is None

    def test_the_connection_was_terminated_before_the_commit(self, storage: Storage, database: Database):
        with unavailable(), storage.begin() as work:
            work.tasks.add([submission()])
            assert asked(database, TERMINATE)
            work.commit()
        with storage.begin() as work:
            assert work.tasks.get(TaskId(1)) is None

    def test_the_server_was_shut_down_in_the_middle(self, own: Database, server: EmbeddedPostgres):
        storage = in_postgres(own)
        with unavailable(), storage.begin() as work:
            work.tasks.add([submission()])
            server.stop()
            work.commit()
        with unavailable(), storage.begin() as work:
            work.tasks.add([submission()])

    def test_there_are_no_tables_yet(self, empty_url: str):
        database = Database(empty_url)
        with unavailable(), PostgresStore(database).begin() as work:
            work.tasks.get(TaskId(1))
        database.close()

    def test_a_standby_was_reached(self, database: Database, postgres_url: str):
        standby = Database(with_settings(postgres_url, default_transaction_read_only="on"))
        with unavailable(), PostgresStore(standby).begin() as work:
            work.tasks.add([submission()])
        standby.close()


def test_a_broken_invariant_is_no_outage(storage: Storage):
    broken = replace(add_one(storage), attempt=2)
    with pytest.raises(IntegrityError), storage.begin() as work:
        work.tasks.save(broken)


def test_the_victim_of_a_deadlock_gets_a_conflict(
    storage: Storage, database: Database, postgres_url: str, background: ThreadPoolExecutor
):
    impatient = Database(with_settings(postgres_url, deadlock_timeout="10ms"))
    add(storage, submission(), submission())
    with storage.begin() as one:
        one.tasks.lock(TaskId(1))
        with pytest.raises(StorageConflict) as refusal, PostgresStore(impatient).begin() as other:
            other.tasks.lock(TaskId(2))
            crossing = background.submit(one.tasks.lock, TaskId(2))
            until_waiting(database)
            other.tasks.lock(TaskId(1))
        assert crossing.result()
    assert str(refusal.value) == "another transaction changed the same rows at the same time: try again"
    impatient.close()


def test_the_pool_recovers_from_a_restart_at_no_cost(own: Database, server: EmbeddedPostgres):
    storage = in_postgres(own)
    add_one(storage)
    with ExitStack() as works:
        for _ in range(5):
            works.enter_context(storage.begin()).tasks.get(TaskId(1))
    server.stop()
    server.start()
    assert read(storage, 1)
    with ExitStack() as works:
        assert all(works.enter_context(storage.begin()).tasks.get(TaskId(1)) for _ in range(5))


class TestAutocommit:
    def test_nothing_listens_there(self):
        with unavailable():
            PostgresAutocommitStore(Database(NOWHERE)).add([submission()])

    def test_connections_recover_from_a_restart_at_no_cost(self, own: Database, server: EmbeddedPostgres):
        storage = in_postgres(own)
        storage.autocommit.add([submission()])
        with ExitStack() as works:
            for _ in range(5):
                works.enter_context(storage.begin()).tasks.get(TaskId(1))
        server.stop()
        server.start()
        assert [add_one(storage).id for _ in range(5)] == [2, 3, 4, 5, 6]
        with ExitStack() as works:
            assert all(works.enter_context(storage.begin()).tasks.get(TaskId(1)) for _ in range(5))

    def test_a_standby_was_reached(self, database: Database, postgres_url: str):
        standby = Database(with_settings(postgres_url, default_transaction_read_only="on"))
        with unavailable():
            PostgresAutocommitStore(standby).add([submission()])
        standby.close()

    def test_a_claim_that_a_hanging_server_carries_out_later_has_not_happened(
        self, impatient: Database, server: EmbeddedPostgres
    ):
        storage = in_postgres(impatient)
        waiting = add_one(storage)
        assert not claim(storage, 1, wanted={"none": 1})
        (backend,) = impatient.execute_autocommit(text("SELECT pg_backend_pid() AS pid"), {})
        with hanging(server), unavailable():
            claim(storage, 1)
        alive = f"SELECT FROM pg_stat_activity WHERE pid = {backend.pid}"
        until(lambda: answers(storage) and not asked(impatient, alive))
        assert read(storage, waiting.id) == waiting

    def test_a_statement_whose_rows_cannot_be_read_has_not_happened(self, own: Database):
        waiting = add_one(in_postgres(own))
        change = text("UPDATE tasks SET claims = 7 RETURNING type")
        with pytest.raises(ValueError, match="invalid literal"):
            own.commit_after_read(change, {}, lambda rows: int(rows[0].type))
        assert asked(own, "SELECT claims FROM tasks") == [(0,)]
        assert claim_one(in_postgres(own)).id == waiting.id

    def test_a_statement_is_unavailable_where_the_server_hangs(self, impatient: Database, server: EmbeddedPostgres):
        autocommit = PostgresAutocommitStore(impatient)
        assert autocommit.add([submission()])
        with hanging(server), unavailable():
            autocommit.add([submission()])
        until(lambda: answers(in_postgres(impatient)))

    def test_works_that_come_after_them_are_transactions_again(self, storage: Storage, database: Database):
        PostgresAutocommitStore(database).add([submission()])
        with storage.begin() as work:
            assert work.tasks.add([submission()])
        with storage.begin() as work:
            assert work.tasks.get(TaskId(1))
            assert work.tasks.get(TaskId(2)) is None


def test_the_pool_recovers_from_an_outage(own: Database, server: EmbeddedPostgres):
    storage = in_postgres(own)
    add_one(storage)
    server.stop()
    for _ in range(2):
        with unavailable():
            read(storage, 1)
    server.start()
    until(lambda: answers(storage))


def test_a_rescue_in_the_middle_of_which_the_server_restarts_is_repeated(own: Database, server: EmbeddedPostgres):
    storage = in_postgres(own)
    add(storage, *[submission()] * 3)
    running = [claim_one(storage) for _ in range(3)]
    with unavailable(), storage.begin() as work:
        settlements = [Settlement.lost(each, at(31)) for each in work.queue.running_under(HANDLER, 100)]
        assert not work.queue.settle(settlements)
        server.stop()
        server.start()
        work.commit()
    until(lambda: answers(storage))
    assert [read(storage, each.id) for each in running] == running
    assert list(rescue(storage, at(31))) == [each.suspected().lose(at(31)) for each in running]


def test_one_thread_tries_to_connect_while_the_database_is_away_and_the_others_fail_at_once(
    background: ThreadPoolExecutor,
):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        database = Database(f"postgresql://nobody:secret@127.0.0.1:{silent.getsockname()[1]}/nothing?connect_timeout=2")
        with pytest.raises(psycopg2.OperationalError):
            database.connect()
        time.sleep(RECONNECT_SECONDS)  # From here on one thread may try again.
        one = background.submit(database.connect)
        until(database._connector._trying.locked)
        begun = time.monotonic()
        for _ in range(100):
            with pytest.raises(psycopg2.OperationalError, match="a moment ago"):
                database.connect()
        assert time.monotonic() - begun < 1
        assert one.exception(timeout=10)


@pytest.fixture
def impatient(server: EmbeddedPostgres, own: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database whose watchdog gives a server up after a moment without an answer."""
    monkeypatch.setattr("adapters.postgres.watchdog.MAX_ANSWER_SECONDS", 0.3)
    database = Database(server.start())
    yield database
    database.close()


@contextmanager
def hanging(server: EmbeddedPostgres) -> Iterator[None]:
    """Suspend all processes of the server during the block."""
    postmaster = psutil.Process(server.pid)
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def test_a_server_that_hangs_counts_as_away(impatient: Database, server: EmbeddedPostgres):
    storage = in_postgres(impatient)
    add_one(storage)
    with hanging(server), unavailable():
        read(storage, 1)
    until(lambda: answers(storage))


def test_a_server_that_hangs_at_the_end_of_a_work_holds_nobody_up(impatient: Database, server: EmbeddedPostgres):
    storage = in_postgres(impatient)
    add_one(storage)
    with ExitStack() as waits, unavailable(), storage.begin() as work:
        assert work.tasks.get(TaskId(1))
        waits.enter_context(hanging(server))
    until(lambda: answers(storage))


@pytest.mark.parametrize("end", [Settlement.released, Settlement.lost])
def test_a_settlement_does_not_wait_for_ever_for_a_lock(storage: Storage, end: Callable[..., Settlement]):
    add_one(storage)
    running = claim_one(storage)
    with storage.begin() as forgotten:
        forgotten.tasks.lock(running.id)
        with pytest.raises(StorageConflict):
            settle(storage, end(running, at(1)))


ENDS: dict[str, Callable[[Task], Settlement]] = {
    "succeeded": lambda running: Settlement.succeeded(running, at(1), "[1]"),
    "printed": lambda running: Settlement.succeeded(running, at(1), "[1]", "nul \0\n"),
    "failed": lambda running: Settlement.failed(running, at(1), BOOM, PLAIN, 0),
    "lost": lambda running: Settlement.lost(running, at(1)),
    "released": lambda running: Settlement.released(running, at(1)),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_settlement_whose_commit_was_not_answered_can_be_repeated(
    own: Database, server: EmbeddedPostgres, background: ThreadPoolExecutor, end: str
):
    storage = in_postgres(own)
    add_one(storage, max_attempts=2)
    settlement = ENDS[end](claim_one(storage))
    cut_off = Database(with_settings(server.start(), synchronous_commit="on"))
    answer = background.submit(settle, in_postgres(cut_off), settlement)
    until(lambda: asked(own, TERMINATE_COMMITTING))
    with unavailable():
        answer.result()
    assert stored(storage, 1).task == settlement.task
    assert list(settle(storage, settlement)) == []
    with storage.begin() as work:
        assert list(work.tasks.attempts(TaskId(1))) == [settlement.attempt][: bool(settlement.attempt)]
    cut_off.close()
