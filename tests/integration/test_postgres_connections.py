"""The number of connections that a process holds: as many as it needs at once, and not for ever."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext

import pytest
from sqlalchemy import text

from adapters.postgres import Database, PostgresNotifier, PostgresStore
from application.ports.wake_up import Topic
from domain.ids import TaskId
from tests.concurrency import asked, loans, transactions, until

NAME = "counted"
BACKENDS = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{NAME}'"


@pytest.fixture
def counted(database: Database, postgres_url: str) -> Iterator[Database]:
    """The emptied database, over connections with a name of their own, after those of another test are closed."""
    until(lambda: not backends(database))
    counted = Database(postgres_url, application_name=NAME)
    yield counted
    counted.close()


def backends(database: Database) -> set[int]:
    """Return the process ids of the counted connections that are open."""
    return {pid for (pid,) in asked(database, BACKENDS)}


def own_backend(counted: Database) -> int:
    """Return the process id of the connection that the next autocommit statement takes."""
    (row,) = counted.execute_autocommit(text("SELECT pg_backend_pid() AS pid"), {})
    return int(row.pid)


def test_autocommit_statements_and_notifications_share_one_connection(database: Database, counted: Database):
    backend = own_backend(counted)
    with closing(PostgresNotifier(counted)) as notifier:
        notifier.notify(Topic.WAITING)
        until(lambda: asked(database, f"SELECT FROM pg_stat_activity WHERE pid = {backend} AND query ~ 'pg_notify'"))
        assert backends(database) == {backend}


def test_autocommit_statements_take_the_connection_that_was_used_last(counted: Database):
    loans(3, counted)
    assert len({own_backend(counted) for _ in range(6)}) == 1


def test_the_transaction_pool_closes_connections_beyond_its_peak_use(
    database: Database, counted: Database, monkeypatch: pytest.MonkeyPatch
):
    transactions(5, counted)
    assert len(backends(database)) == 5
    monkeypatch.setattr(counted._transactions.peak_use, "_ends", 0)
    transactions(1, counted)  # The window that ends here had a peak of five.
    assert len(backends(database)) == 5
    monkeypatch.setattr(counted._transactions.peak_use, "_ends", 0)
    transactions(1, counted)
    until(lambda: not backends(database))
    transactions(3, counted)
    assert len(backends(database)) == 3


@pytest.mark.parametrize("use", [loans, transactions])
def test_the_autocommit_pool_closes_all_unused_connections_but_one(
    database: Database, counted: Database, monkeypatch: pytest.MonkeyPatch, use: Callable[[int, Database], None]
):
    loans(5, counted)
    last = own_backend(counted)
    assert len(backends(database)) == 5
    monkeypatch.setattr("adapters.postgres.autocommit_pool.MAX_IDLE_SECONDS", 0)
    use(1, counted)
    counted.engine.dispose()
    until(lambda: backends(database) == {last})


@pytest.mark.parametrize("end", [nullcontext(), pytest.raises(ZeroDivisionError)])
def test_a_connection_that_was_in_use_while_the_others_were_closed_is_closed_as_well(
    database: Database, counted: Database, end: AbstractContextManager[object]
):
    with end, PostgresStore(counted).begin() as work:
        assert work.tasks.get(TaskId(1)) is None
        counted.close()
        transactions(1, counted)
        assert work.tasks.get(TaskId(1)) is None
        if not isinstance(end, nullcontext):
            raise ZeroDivisionError
    until(lambda: len(backends(database)) == 1)
