"""Monitoring on a real database: beside locks, rows of an administrator, and the version before."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from adapters.postgres import Database, PostgresStore
from application.errors import StorageConflict
from application.ports.monitoring import HandlerInfo, JanitorRecord, Liveness
from application.ports.unit_of_work import Begin
from domain.ids import HandlerId, JanitorId
from domain.instants import LATEST
from tests.concurrency import asked
from tests.steps import HANDLER, NOW, add_one, at, claim
from tests.storage import in_postgres

JANITOR = JanitorRecord(id=JanitorId("one"), host="host", pid=8, started=NOW, last_seen=NOW)
INFO = HandlerInfo(host="host", pid=7, started=NOW, concurrency=2)


@pytest.fixture
def begin(database: Database) -> Begin:
    return PostgresStore(database).begin


def renew(begin: Begin, janitor: JanitorRecord = JANITOR) -> None:
    with begin() as work:
        work.monitoring.renew_janitor(janitor)
        work.commit()


def withdraw(begin: Begin) -> None:
    with begin() as work:
        work.monitoring.withdraw_janitor(JANITOR.id)
        work.commit()


def forget(begin: Begin) -> None:
    with begin() as work:
        work.monitoring.forget_dead_janitors(at(10**6))
        work.commit()


LOCKS = ["SELECT FROM janitors FOR UPDATE", "LOCK TABLE janitors IN ACCESS EXCLUSIVE MODE"]


@pytest.mark.parametrize("write", [renew, withdraw])
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_on_the_record_of_a_janitor_delays_no_write(
    begin: Begin, database: Database, write: Callable[[Begin], None], lock: str
):
    renew(begin)
    with database.engine.begin() as somebody:
        somebody.exec_driver_sql(lock)
        begun = time.monotonic()
        if write is withdraw and "FOR UPDATE" in lock:
            write(begin)
        else:
            with pytest.raises(StorageConflict):
                write(begin)
        assert time.monotonic() - begun < 0.5
    assert asked(database, "SELECT id FROM janitors") == [("one",)]


def test_a_locked_record_of_a_dead_janitor_is_forgotten_later_and_its_neighbours_at_once(
    begin: Begin, database: Database
):
    for id in ("one", "two"):
        renew(begin, JanitorRecord(id=JanitorId(id), host="host", pid=8, started=NOW, last_seen=NOW))
    with database.engine.begin() as somebody:
        somebody.exec_driver_sql("SELECT FROM janitors WHERE id = 'one' FOR UPDATE")
        forget(begin)
        assert asked(database, "SELECT id FROM janitors") == [("one",)]
    forget(begin)
    assert asked(database, "SELECT id FROM janitors") == []


def test_locked_rows_are_shown(begin: Begin, database: Database):
    storage = in_postgres(database)
    add_one(storage)
    claim(storage)
    renew(begin)
    with begin() as work:
        work.types.publish(HANDLER, [], at(30), lease=30, info=INFO)
        work.commit()
    with database.engine.begin() as somebody, begin() as work:
        somebody.exec_driver_sql("SELECT FROM janitors, handlers, tasks FOR UPDATE")
        assert len(work.monitoring.janitors(NOW, 1)) == len(work.monitoring.handlers(NOW, 1)) == 1
        assert work.monitoring.held_tasks(10).keys() == {HANDLER}


@pytest.mark.parametrize("lease", ["'infinity'", "'-infinity'", "'NaN'", "-1", "1e300"])
def test_a_handler_with_an_odd_length_of_its_leases_has_no_known_sign_of_life(
    begin: Begin, database: Database, lease: str
):
    with begin() as work:
        work.types.publish(HANDLER, [], at(30), lease=30, info=INFO)
        work.commit()
    with database.engine.begin() as administrator:
        administrator.exec_driver_sql(f"UPDATE handlers SET lease = {lease}")
    with begin() as work:
        (handler,) = work.monitoring.handlers(NOW, 1)
    assert (handler.last_seen, handler.pid) == (None, 7)


def test_odd_rows_of_an_administrator_are_shown_as_far_as_they_can_be(begin: Begin, database: Database):
    with database.engine.begin() as administrator:
        administrator.exec_driver_sql("""
            INSERT INTO handlers (id, until, types, lease, started) VALUES
                ('a', 'infinity', '{NULL,b,a}', 30, '-infinity'), ('b', '-infinity', '{}', 30, 'infinity');
            INSERT INTO janitors VALUES ('c', 'é', -1, '-infinity', 'infinity')
        """)
    with begin() as work:
        a, b = work.monitoring.handlers(NOW, 1)
        (c,) = work.monitoring.janitors(NOW, 1)
    assert (a.liveness(NOW), list(a.types), a.last_seen) == (Liveness.LIVE, ["a", "b"], LATEST)
    assert (b.liveness(NOW), b.started) == (Liveness.SILENT, LATEST)
    assert (c.started, c.last_seen) == (datetime(1, 1, 1, tzinfo=UTC), LATEST)


def test_odd_tasks_of_an_administrator_hide_no_others(begin: Begin, database: Database):
    storage = in_postgres(database)
    for _ in range(4):
        add_one(storage)
    claim(storage, 2)
    with database.engine.begin() as administrator:
        administrator.exec_driver_sql("UPDATE tasks SET progress = 'no JSON', started = '-infinity' WHERE id = 1")
        administrator.exec_driver_sql("UPDATE tasks SET run_at = 'infinity' WHERE id = 3")
    with begin() as work:
        (held,) = work.monitoring.held_tasks(10).values()
        assert [(each.id, each.progress) for each in held.first] == [(1, None), (2, None)]
        assert work.monitoring.oldest_due(NOW) == {"add": NOW}
    with database.engine.begin() as administrator:
        administrator.exec_driver_sql("UPDATE tasks SET run_at = '-infinity' WHERE id = 3")
    with begin() as work:
        assert work.monitoring.oldest_due(NOW) == {"add": datetime(1, 1, 1, tzinfo=UTC)}


BEFORE = [
    "INSERT INTO handlers (id, until, types, schemas, process, lease) VALUES ('x', now(), '{add}', '{{}}', 'p', 30)"
    " ON CONFLICT (id) DO UPDATE SET until = excluded.until",
    "UPDATE handlers SET until = now() WHERE id = 'x' RETURNING id",
]


def test_a_handler_of_the_version_before_publishes_and_renews_its_record(begin: Begin, database: Database):
    with database.engine.begin() as connection:
        for statement in BEFORE:
            connection.exec_driver_sql(statement)
    with begin() as work:
        (handler,) = work.monitoring.handlers(NOW, 1)
    assert (handler.id, handler.host, handler.is_draining) == (HandlerId("x"), None, False)
    assert handler.last_seen is not None
