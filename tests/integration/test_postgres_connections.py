"""How many connections a process holds: as many as it needs at once, and not for ever."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext

import pytest

from adapters.postgres import Database, PostgresAtOnce, PostgresNotifier, PostgresStore, need
from application.ports.wake_up import Topic
from domain.ids import TaskId
from tests.at_once import asked, until

NAME = "counted"
BACKENDS = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{NAME}'"


@pytest.fixture
def counted(database: Database, postgres_url: str) -> Iterator[Database]:
    """The emptied database, over connections that can be told from others. Those of another test have gone."""
    until(lambda: not backends(database))
    counted = Database(postgres_url, application_name=NAME)
    yield counted
    counted.close()


def backends(database: Database) -> set[int]:
    """Of the connections that are open."""
    return {pid for (pid,) in asked(database, BACKENDS)}


def works(number: int, database: Database) -> None:
    """So many at once."""
    with ExitStack() as stack:
        for _ in range(number):
            assert stack.enter_context(PostgresStore(database).begin()).tasks.get(TaskId(1)) is None


def steps(number: int, database: Database) -> None:
    """So many at once."""
    with ExitStack() as stack:
        for _ in range(number):
            stack.enter_context(database._single())


def test_steps_and_notifications_share_one(database: Database, counted: Database):
    notifier = PostgresNotifier(counted)
    PostgresAtOnce(counted).several([TaskId(1)])
    notifier.notify(Topic.WAITING)
    notifier.close()
    assert len(backends(database)) == 1


def test_works_that_are_not_needed_at_once_any_more_lose_their_connections(
    database: Database, counted: Database, monkeypatch: pytest.MonkeyPatch
):
    works(5, counted)
    assert len(backends(database)) == 5
    monkeypatch.setattr(counted._need, "_ends", 0)
    works(1, counted)  # five were needed until now
    assert len(backends(database)) == 5
    monkeypatch.setattr(counted._need, "_ends", 0)
    works(1, counted)
    until(lambda: len(backends(database)) <= need.KEPT)
    works(3, counted)
    assert len(backends(database)) == 3


def test_so_do_steps(database: Database, counted: Database, monkeypatch: pytest.MonkeyPatch):
    steps(5, counted)
    for _ in range(9):
        steps(1, counted)
    assert len(backends(database)) == 5
    monkeypatch.setattr("adapters.postgres.database.UNUSED", 0)
    for _ in range(9):
        steps(1, counted)
    until(lambda: len(backends(database)) == 1)


@pytest.mark.parametrize("end", [nullcontext(), pytest.raises(ZeroDivisionError)])
def test_a_connection_that_was_in_use_while_the_others_were_closed_is_closed_as_well(
    database: Database, counted: Database, end: AbstractContextManager[object]
):
    with end, PostgresStore(counted).begin() as work:
        assert work.tasks.get(TaskId(1)) is None
        counted.close()
        works(1, counted)
        assert work.tasks.get(TaskId(1)) is None
        if not isinstance(end, nullcontext):
            raise ZeroDivisionError
    until(lambda: len(backends(database)) == 1)
