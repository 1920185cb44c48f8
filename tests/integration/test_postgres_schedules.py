"""Schedules on a real database: many publish and tick at once, and some are killed in the middle."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy.exc import IntegrityError

from adapters.postgres import Database
from domain.ids import HandlerId, TypeName
from domain.schedule import Recurrence
from tests.concurrency import asked, until
from tests.conftest import ROOT
from tests.recurring import DAILY, HOURLY, Recurring, recurring
from tests.steps import at
from tests.storage import Storage

DUE = "SELECT type FROM schedules WHERE next <= '{now}'"
OLDER_INSERT = f"""
    INSERT INTO schedules (type, every, timezone, next, omitted, abandoned)
    VALUES ('report', '{DAILY.every}', '{DAILY.timezone}', '{at(3600)}', false, NULL)
"""
TICKS = "SELECT type, run_at, count(*) FROM tasks GROUP BY type, run_at ORDER BY run_at, type"


@pytest.fixture
def service(storage: Storage) -> Recurring:
    return Recurring(storage)


def test_eight_janitors_that_tick_at_once_make_one_task_a_tick(
    service: Recurring, database: Database, background: ThreadPoolExecutor
):
    service.publish("a", *(recurring(name, HOURLY) for name in "xyz"), seconds=10**6)
    hours, ready = 20, Barrier(8, action=lambda: service.clock.move(3600), timeout=30)

    def look(_: int) -> int:
        made, tick = 0, service.janitor()
        for _ in range(hours):
            ready.wait()
            made += sum(len(tick().tasks) for _ in range(3))
        return made

    assert sum(background.map(look, range(8))) == 3 * hours
    assert asked(database, TICKS) == [(type, at(3600 * hour), 1) for hour in range(1, hours + 1) for type in "xyz"]


def test_eight_janitors_that_tick_at_once_let_one_tick_of_a_paused_type_wait_and_count_the_others_once(
    service: Recurring, database: Database, background: ThreadPoolExecutor
):
    service.max_task_time = 10**6
    service.publish("a", *(recurring(name, HOURLY) for name in "xyz"), seconds=10**6)
    service.limit("y", paused=True)
    service.limit("z", accepting=False)
    hours, ready = 20, Barrier(8, action=lambda: service.clock.move(3600), timeout=30)

    def look(_: int) -> None:
        tick = service.janitor()
        for _ in range(hours):
            ready.wait()
            for _ in range(3):
                tick()

    list(background.map(look, range(8)))
    assert asked(database, "SELECT type, count(*) FROM tasks GROUP BY type ORDER BY type") == [("x", hours), ("y", 1)]
    assert {type: each.skipped for type, each in service.known().items()} == {"x": 0, "y": hours - 1, "z": hours}


def test_no_tick_is_lost_or_doubled_while_handlers_are_replaced_all_the_time(
    service: Recurring, database: Database, background: ThreadPoolExecutor
):
    service.publish("a0", recurring("x", HOURLY), recurring("y", HOURLY), seconds=10**6)
    hours, ready = 20, Barrier(6, action=lambda: service.clock.move(3600), timeout=30)

    def replace(n: int) -> None:
        for hour in range(hours):
            ready.wait()
            service.publish(f"a{n}-{hour}", recurring("y", HOURLY), recurring("x", HOURLY), seconds=10**6)
            service.withdraw(f"a{n}-{hour - 1}")

    def look(_: int) -> None:
        tick = service.janitor()
        for _ in range(hours):
            ready.wait()
            while asked(database, DUE.format(now=service.clock.now())):
                tick()

    for each in [background.submit(replace if n % 2 else look, n) for n in range(6)]:
        each.result()
    service.tick()
    assert asked(database, TICKS) == [(type, at(3600 * hour), 1) for hour in range(1, hours + 1) for type in "xy"]


def test_a_publication_sees_what_another_at_the_same_time_wrote_and_its_ticks(
    service: Recurring, background: ThreadPoolExecutor
):
    """Neither knows a schedule when it begins: the write of the second must not bring back the tick of the first."""
    report = recurring("report")
    service.clock.set(at(3599.999))
    with service.begin() as work:
        work.types.publish(HandlerId("first"), [report], at(9999))
        work.schedules.save([Recurrence(type=report.name, schedule=DAILY, next=at(25 * 3600))])
        second = background.submit(service.publish, "second", report)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.3)
        work.commit()
    second.result()
    assert service.known()["report"].next == at(25 * 3600)


def test_publications_with_and_without_a_type_may_be_written_at_the_same_time(
    service: Recurring, database: Database, background: ThreadPoolExecutor
):
    service.publish("a", recurring("report"))
    service.withdraw("a")
    with service.begin() as work:
        work.types.publish(HandlerId("b"), [], at(9999))
        (known,) = work.schedules.lock()
        work.schedules.save([known.left_out()])
        work.schedules.review(service.clock.now())
        back = background.submit(service.publish, "a", recurring("report"))
        with pytest.raises(TimeoutError):
            back.result(timeout=0.3)
        work.commit()
    back.result()
    assert service.shown()["report"] == (DAILY, at(3600))


def test_a_janitor_skips_locked_schedules(service: Recurring):
    service.publish("a", recurring("report"), recurring("other"))
    service.withdraw("a")
    service.publish("b", recurring("other"), seconds=9999)
    service.clock.set(at(3600))
    with service.begin() as work:
        work.schedules.lock()
        assert service.tick() == []
    assert [task.type for task in service.tick()] == ["other"]


JANITOR = """
import sys, time
from contextlib import contextmanager
from dataclasses import replace
from adapters.postgres import Database
from tests.recurring import Recurring
from tests.storage import in_postgres

storage = in_postgres(Database(sys.argv[1]))

@contextmanager
def begin():
    with storage.begin() as work:
        commit = work.commit
        def stand_still():
            if sys.argv[3] == "after":
                commit()
            print("here", flush=True)
            time.sleep(600)
        work.commit = stand_still
        yield work

service = Recurring(replace(storage, begin=begin))
service.clock.move(float(sys.argv[2]))
service.tick()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_janitor_that_is_killed_around_its_commit_loses_nothing_and_doubles_nothing(
    service: Recurring, database: Database, postgres_url: str, when: str
):
    service.publish("a", recurring("report"), recurring("often", HOURLY))
    service.clock.set(at(3601))
    command = [sys.executable, "-c", JANITOR, postgres_url, "3601", when]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as janitor:
        assert janitor.stdout is not None
        assert janitor.stdout.readline() == b"here\n"
        assert service.tick() == []
        janitor.kill()
    until(lambda: service.tick() or asked(database, TICKS))
    assert asked(database, TICKS) == [("often", at(3600), 1), ("report", at(3600), 1)]
    assert service.tick() == []


def test_code_that_is_older_than_schedules_publishes_and_leaves_them_unchanged(service: Recurring, database: Database):
    """Older code names only the columns that it knows, and its handler has the type, so the schedule goes on."""
    service.publish("a", recurring("report"))
    service.withdraw("a")
    with service.begin() as work:
        work.types.publish(HandlerId("older"), [recurring("report", None)], at(9999))
        work.commit()
    service.publish("b", recurring("other", None))
    assert service.shown()["report"] == (DAILY, at(3600))


def test_of_a_schedule_that_older_code_has_written_no_tick_was_skipped(service: Recurring, database: Database):
    """Older code names only the columns that it knows."""
    service.publish("a", recurring("report", None))
    with database.engine.begin() as connection:
        connection.exec_driver_sql(OLDER_INSERT)
    assert service.known() == {"report": Recurrence(type=TypeName("report"), schedule=DAILY, next=at(3600))}


def test_deleting_a_type_deletes_its_schedule(service: Recurring, database: Database):
    service.publish("a", recurring("report"))
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM task_types")
    assert service.known() == {}


def test_an_abandoned_schedule_was_omitted(service: Recurring, database: Database):
    service.publish("a", recurring("report"))
    with pytest.raises(IntegrityError, match="abandoned_means_omitted"), database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE schedules SET abandoned = now()")
