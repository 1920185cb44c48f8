"""Limits in PostgreSQL: what a claim of a limited type reads, and what it leaves locked."""

import time
from collections.abc import Iterator, Sequence
from threading import Thread
from typing import Any

import pytest

from adapters.postgres import Database, Migration
from application.ports.limits import Bound
from domain.ids import TypeName
from domain.limits import Limits
from domain.task_type import TaskType
from tests.administrator import Administrator
from tests.concurrency import new_database
from tests.integration.test_postgres_plans import explained
from tests.limiting import claim_limited, override, publish, remove_override
from tests.steps import ADD, HANDLER, NOW, add, add_one, at, claim, submission, succeed, task
from tests.storage import Storage, in_postgres

ONE = Limits(at_once=1)
IN_LANES, LANES = 20_000, 100
MAX_PAGES = 600
"""Pages that one statement may touch, whatever waits."""
FILL = """
    INSERT INTO tasks (type, priority, status, run_at, expire, created, ttl, args, max_attempts, max_losses, lane)
    SELECT 'add', 0, 'waiting', timestamptz '2026-01-01Z' - n * interval '1 second', timestamptz '2027-01-01Z',
        timestamptz '2026-01-01Z', 60, '{}', 1, 3, CASE WHEN n %% 2 = 0 THEN 'a' ELSE CAST(n %% %(lanes)s AS text) END
    FROM generate_series(1, %(number)s) n
"""


@pytest.fixture(scope="module", params=["none", "of now"])
def crowded(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """Many tasks that wait, half of them in one lane, with these statistics for the planner."""
    with new_database(postgres_url, "crowded") as address:
        database = Database(address)
        Migration(database)()
        with database.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE tasks SET (autovacuum_enabled = false)")
            connection.exec_driver_sql(FILL, {"number": IN_LANES, "lanes": LANES})
            if request.param == "of now":
                connection.exec_driver_sql("ANALYZE tasks")
        yield database
        database.close()


@pytest.mark.parametrize(
    ("limits", "statements"),
    [
        ({"at_once": 3}, 3),
        ({"per_second": 0.001, "burst": 3}, 4),
        ({"lane": "user", "at_once": 3}, 6),
        ({"lane": "user", "at_once_per_lane": 1}, 6),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_a_claim_reads_little_whatever_waits(crowded: Database, limits: dict[str, Any], statements: int):
    storage = in_postgres(crowded)
    publish(storage, **limits)
    with explained(crowded) as plans:
        claimed = claim_limited(storage, 3).claimed
    assert len(claimed) == 3
    assert len(plans) == statements
    assert max(plan.buffers for plan in plans) < MAX_PAGES
    assert not any(plan.reads_all_tasks for plan in plans)
    for each in claimed:
        succeed(storage, each.task)


def test_a_type_at_its_limit_has_no_task_looked_at(crowded: Database):
    storage = in_postgres(crowded)
    publish(storage, at_once=1)
    running = claim_limited(storage).claimed[0].task
    with explained(crowded) as plans:
        assert claim_limited(storage).bounds[ADD].by is Bound.PLACES
    assert len(plans) == 2, "its limits are locked, and what runs is counted"
    succeed(storage, running)


class TestLocks:
    def test_a_type_whose_limits_are_locked_is_left_out_and_the_others_are_claimed(self, database: Database):
        storage = in_postgres(database)
        publish(storage, ADD, "one", at_once=5)
        publish(storage, "report", "two", at_once=5)
        add(storage, submission(ADD), submission("report"))
        with database.engine.begin() as connection:
            connection.exec_driver_sql("SELECT FROM type_limits WHERE type = 'add' FOR UPDATE")
            found = claim_limited(storage, types=[ADD, "report"])
        assert [each.task.type for each in found.claimed] == ["report"]
        assert found.bounds[ADD].by is Bound.LOCK

    def test_a_task_that_is_locked_is_left_out(self, database: Database):
        storage = in_postgres(database)
        publish(storage, at_once=1)
        add(storage, *[submission()] * 2)
        with database.engine.begin() as connection:
            connection.exec_driver_sql("SELECT FROM tasks WHERE id = 1 FOR UPDATE")
            assert [each.task.id for each in claim_limited(storage).claimed] == [2]

    def test_a_locked_task_does_not_hold_up_its_lane(self, database: Database):
        storage = in_postgres(database)
        publish(storage, lane="user", at_once=1)
        add(storage, *(submission(lane=lane) for lane in ("a", "a", "b")))  # type: ignore[arg-type]
        with database.engine.begin() as connection:
            connection.exec_driver_sql("SELECT FROM tasks WHERE id = 1 FOR UPDATE")
            assert [each.task.id for each in claim_limited(storage).claimed] == [2]

    def test_a_lane_of_which_all_tasks_are_locked_does_not_hold_up_the_others(self, database: Database):
        storage = in_postgres(database)
        publish(storage, lane="user", at_once=1)
        add(storage, *(submission(lane=lane) for lane in ("a", "b", "b", "c", "d")))  # type: ignore[arg-type]
        with database.engine.begin() as connection:
            connection.exec_driver_sql("SELECT FROM tasks WHERE id IN (1, 2, 3) FOR UPDATE")
            assert [each.task.id for each in claim_limited(storage).claimed] == [4]
        succeed(storage, task(storage, 4))
        assert [each.task.id for each in claim_limited(storage).claimed] == [5]

    def test_a_lane_that_is_locked_in_one_priority_is_claimed_in_another(self, database: Database):
        storage = in_postgres(database)
        publish(storage, lane="user", at_once=1)
        add(storage, submission(lane="a", priority=5), submission(lane="a"))  # type: ignore[arg-type]
        with database.engine.begin() as connection:
            connection.exec_driver_sql("SELECT FROM tasks WHERE id = 1 FOR UPDATE")
            assert [each.task.id for each in claim_limited(storage).claimed] == [2]

    def test_the_claim_of_other_types_waits_for_no_lock_on_limits(self, database: Database):
        storage = in_postgres(database)
        publish(storage, ADD, "one", at_once=5)
        add(storage, submission(ADD), submission("report"))
        with database.engine.begin() as connection:
            connection.exec_driver_sql("SELECT FROM type_limits FOR UPDATE")
            claimed = claim(storage, wanted={ADD: 9, "report": 9})
        assert [each.task.type for each in claimed] == ["report"]

    def test_locked_limits_hold_back_the_publication_of_no_other_type(self, database: Database):
        storage = in_postgres(database)
        publish(storage, ADD, at_once=5)
        types = [TaskType(name=ADD), TaskType(name=TypeName("report")), TaskType(name=TypeName("x"), limits=ONE)]
        with database.engine.begin() as connection:
            connection.exec_driver_sql("SELECT FROM type_limits FOR UPDATE")
            with storage.begin() as work:
                assert work.types.publish(HANDLER, types, at(3600)) == {ADD, "x"}
                work.commit()
        with storage.begin() as work:
            assert [each.type.name for each in work.types.all(NOW)] == [ADD, "report"]
            assert work.types.publish(HANDLER, types, at(3600)) == set()
            work.commit()
        assert storage.autocommit.limited_types() == {"x"}

    def test_limits_that_are_published_again_are_not_waited_for(self, database: Database):
        storage = in_postgres(database)
        publish(storage, at_once=5)
        with database.engine.begin() as connection:
            connection.exec_driver_sql("SELECT FROM type_limits FOR UPDATE")
            with storage.begin() as work:
                types = [TaskType(name=ADD, limits=Limits(at_once=5))]
                assert work.types.publish(HANDLER, types, at(3600)) == set()

    def test_an_override_is_removed_beside_a_publication_that_ends_the_declared_limits(self, database: Database):
        storage = in_postgres(database)
        publish(storage, at_once=5)
        override(storage, at_once=1)
        removing = Thread(target=remove_override, args=[storage])
        with storage.begin() as work:
            work.types.publish(HANDLER, [TaskType(name=ADD)], at(3600))
            removing.start()
            removing.join(0.1)
            work.commit()
        removing.join()
        assert storage.autocommit.limited_types() == set()


class TestOddRows:
    @pytest.mark.parametrize("lane", [None, "user"])
    def test_a_task_that_cannot_be_claimed_is_set_aside_and_takes_no_place(self, database: Database, lane: str | None):
        storage = in_postgres(database)
        publish(storage, at_once=2, lane=lane)
        add(storage, *[submission(lane="a")] * 3)  # type: ignore[arg-type]
        execute(database, "UPDATE tasks SET max_attempts = 0 WHERE id = 1")
        assert [each.task.id for each in claimed_within(storage, 3)] == [2, 3]
        assert task(storage, 1).status == "failed"

    def test_a_task_that_is_left_out_does_not_hold_up_the_other_lanes(
        self, database: Database, administrator: Administrator
    ):
        storage = in_postgres(database)
        publish(storage, at_once=1, lane="user")
        add(storage, *(submission(lane=lane) for lane in ("a", "b")))  # type: ignore[arg-type]
        administrator.refuses("UPDATE", "tasks", "OLD.id = 1")
        assert [each.task.id for each in claimed_within(storage, 2)] == [2]

    @pytest.mark.parametrize(
        "text",
        [
            *("no JSON", "[]", "[" * 100_000),
            *('{"at_once": "many"}', '{"colour": 1}', '{"at_once": -1}', '{"lane": 5}', '{"lane": ["user", "team"]}'),
        ],
        ids=lambda text: text[:20],
    )
    def test_limits_that_cannot_be_read_count_as_none(self, database: Database, text: str):
        storage = in_postgres(database)
        publish(storage, at_once=1)
        execute(database, "UPDATE type_limits SET declared = %s, override = %s", text, text)
        add(storage, *[submission()] * 2)
        assert len(claim_limited(storage).claimed) == 2

    def test_last_lanes_that_cannot_be_read_count_as_none(self, database: Database):
        storage = in_postgres(database)
        publish(storage, lane="user")
        execute(database, "UPDATE type_limits SET last_lanes = 'nothing'")
        add_one(storage, lane="a")
        assert len(claim_limited(storage).claimed) == 1

    def test_a_clock_that_was_set_back_delays_the_next_start_by_no_more_than_one(self, database: Database):
        storage = in_postgres(database)
        publish(storage, per_second=5, burst=2)
        add(storage, *[submission()] * 2)
        execute(database, "UPDATE type_limits SET next_start = now() + interval '3 hours'")
        bounded = claim_limited(storage).bounds[ADD]
        assert bounded.by is Bound.RATE
        assert 0 < bounded.seconds <= 0.2
        time.sleep(bounded.seconds + 0.01)
        assert len(claim_limited(storage).claimed) == 1


def execute(database: Database, statement: str, *values: str) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(statement, values)


def claimed_within(storage: Storage, claims: int) -> Sequence[Any]:
    """The tasks that so many claims take together."""
    return [each for _ in range(claims) for each in claim_limited(storage).claimed]
