"""Counts of events on a real database: triggers write them for every change, whatever the rows are, without waiting."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event as Flag

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from adapters.postgres import Database, Migration
from adapters.postgres.migrate import MIGRATIONS
from application.ports.statistics import MINUTE, EventCount, EventCounts
from domain.event import Event
from domain.histogram import Buckets, bucket_between, bucket_of
from domain.ids import TypeName
from domain.task import Task
from tests.concurrency import asked, new_database, with_settings
from tests.integration.test_postgres_many import together
from tests.integration.test_postgres_plans import Plan, explained
from tests.steps import ADD, add, add_one, claim, claim_one, fail, submission, succeed
from tests.storage import Storage, in_postgres

ENTRIES = "SELECT type, event, buckets, numbers FROM task_event_counts ORDER BY type, event, buckets"
PLACES = "SELECT ctid, xmin, xmax FROM task_event_counts"
TRUTH = "SELECT type, status, count(*) FROM tasks GROUP BY type, status ORDER BY type, status"
SUMS = "SELECT type, status, sum(change) FROM task_count_changes GROUP BY 1, 2 HAVING sum(change) <> 0 ORDER BY 1, 2"
RUNNING = """
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses, status, handler,
        lease_until, attempt, claims)
    SELECT 'add', '{}', now(), timestamptz '2026-01-01Z', now() + interval '1 hour', 3600, 0, 1, 0, 'running', 'one',
        now(), 1, 1
    FROM generate_series(1, :number)
"""
STARTED = """
    UPDATE tasks SET started = run_at + make_interval(secs => seconds)
    FROM unnest(CAST(:ids AS bigint[]), CAST(:seconds AS float8[])) AS each (id, seconds) WHERE tasks.id = each.id
"""
DONE = "status = 'done', result = '1', handler = NULL, lease_until = NULL"
HOUR = timedelta(hours=1)


def counts(storage: Storage) -> EventCounts:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    with storage.begin() as work:
        return work.statistics.counts(now - HOUR, now + HOUR, 2 * HOUR)


def buckets(storage: Storage, event: Event) -> Buckets:
    return counts(storage)[ADD, 0, event].buckets


def numbers(storage: Storage) -> Counter[Event]:
    found: Counter[Event] = Counter()
    for (_, _, event), count in counts(storage).items():
        found[event] += count.number
    return found


def fold(storage: Storage, limit: int = 10_000) -> int:
    with storage.begin() as work:
        folded = work.statistics.fold(datetime.now(UTC) - HOUR, limit)
        work.commit()
    return folded


def changed(database: Database, statement: str, **parameters: object) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(statement), parameters)


@pytest.fixture
def impatient(database: Database, postgres_url: str) -> Iterator[Storage]:
    """A store that waits for no lock at all."""
    found = Database(with_settings(postgres_url, lock_timeout="1ms"))
    yield in_postgres(found)
    found.close()


class TestDurations:
    def test_the_triggers_have_the_buckets_of_the_domain(self, storage: Storage, database: Database):
        bounds = [2 ** (n / 4) for n in range(-44, 82)]
        near = [round(bound + step, 6) for bound in bounds for step in (-1e-6, 0, 1e-6)]
        draw = random.Random(15)
        durations = [*near, *(round(10 ** draw.uniform(-5, 7), 6) for _ in range(1000)), 0, -1, -1e6]
        changed(database, RUNNING, number=len(durations))
        changed(database, STARTED, ids=list(range(1, len(durations) + 1)), seconds=durations)
        expected = Counter(bucket_between(*each) for each in asked(database, "SELECT run_at, started FROM tasks"))
        assert buckets(storage, Event.STARTED) == expected

    @pytest.mark.parametrize("started", ["infinity", "-infinity", "20000-01-01Z", "4000-01-01Z BC", "2026-01-01Z"])
    @pytest.mark.parametrize("finished", ["infinity", "-infinity", "20000-01-01Z", "4000-01-01Z BC", "2026-01-01Z"])
    def test_any_timestamp_is_counted(self, storage: Storage, database: Database, started: str, finished: str):
        changed(database, RUNNING, number=1)
        changed(database, "UPDATE tasks SET started = CAST(:at AS timestamptz), run_at = 'infinity'", at=started)
        changed(database, f"UPDATE tasks SET finished = CAST(:at AS timestamptz), {DONE}", at=finished)
        assert numbers(storage) == {Event.SUBMITTED: 1, Event.STARTED: 1, Event.DONE: 1}
        assert {*buckets(storage, Event.STARTED), *buckets(storage, Event.DONE)} <= {bucket_of(0), bucket_of(1e9)}


class TestMigrating:
    def test_tables_are_migrated_beside_an_open_transaction_whose_next_change_is_counted(self, postgres_url: str):
        with new_database(postgres_url, "of_revision_0015") as address:
            database = Database(address)
            migrate_to(database, "0015")
            with database.engine.begin() as handler:
                handler.execute(text(RUNNING), {"number": 2})
                handler.exec_driver_sql("UPDATE tasks SET started = run_at WHERE id = 1")
                migrate_to(database, "0016")
                handler.exec_driver_sql("UPDATE tasks SET started = run_at WHERE id = 2")
            assert numbers(in_postgres(database)) == {Event.STARTED: 1}
            assert asked(database, TRUTH) == asked(database, SUMS)
            database.close()


def migrate_to(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


class TestOddChanges:
    @pytest.mark.parametrize(
        "change",
        [
            "type = 'sub'",
            "id = DEFAULT",
            "type = 'sub', id = DEFAULT",
            "type = 'sub', status = 'waiting', handler = NULL, lease_until = NULL",
        ],
    )
    def test_a_changed_type_or_id_leaves_every_sum_right(self, database: Database, change: str):
        changed(database, RUNNING, number=3)
        changed(database, f"UPDATE tasks SET {change} WHERE id > 1")
        assert asked(database, TRUTH) == asked(database, SUMS)

    def test_a_retry_of_what_was_done_is_counted(self, storage: Storage, database: Database):
        succeed(storage, add_and_claim(storage))
        changed(database, "UPDATE tasks SET status = 'waiting', started = NULL, finished = NULL, result = NULL")
        assert numbers(storage)[Event.RETRIED] == 1

    @pytest.mark.parametrize("statement", ["DELETE FROM tasks", "TRUNCATE tasks CASCADE"])
    def test_tasks_that_go_leave_their_events(self, storage: Storage, database: Database, statement: str):
        succeed(storage, add_and_claim(storage))
        before = numbers(storage)
        changed(database, statement)
        assert numbers(storage) == before == {Event.SUBMITTED: 1, Event.STARTED: 1, Event.DONE: 1}

    def test_a_trigger_that_was_planned_for_one_row_handles_very_many(self, database: Database):
        changed(database, RUNNING, number=30_000)
        with database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE tasks SET started = run_at WHERE id = 1")
            # Two nested loops over so many rows would take minutes.
            connection.exec_driver_sql("SET LOCAL statement_timeout = '20s'")
            connection.exec_driver_sql(
                "UPDATE tasks SET status = 'failed', error = '[]', finished = now(), losses = 1, handler = NULL,"
                " lease_until = NULL"
            )


class TestEntries:
    def test_a_statement_leaves_an_entry_for_each_type_and_event(self, storage: Storage, database: Database):
        add(storage, *(submission("ab"[n % 2]) for n in range(100)))
        claim(storage, wanted={"a": 50, "b": 50})
        wait = bucket_of(0)
        assert asked(database, ENTRIES) == [
            ("a", "started", [wait] * 50, None),
            ("a", "submitted", [None], [50]),
            ("b", "started", [wait] * 50, None),
            ("b", "submitted", [None], [50]),
        ]

    def test_folding_leaves_one_entry_for_each_type_and_event(self, storage: Storage, database: Database):
        for _ in range(3):
            add_one(storage)
            succeed(storage, claim_one(storage))
        assert fold(storage) == 9
        assert asked(database, ENTRIES) == [
            ("add", "done", [bucket_of(0)], [3]),
            ("add", "started", [bucket_of(0)], [3]),
            ("add", "submitted", [None], [3]),
        ]

    def test_where_there_is_nothing_to_fold_nothing_is_written(self, storage: Storage, database: Database):
        add_one(storage)
        add_one(storage)
        fold(storage)
        places = asked(database, PLACES)
        assert fold(storage) == 0
        assert asked(database, PLACES) == places

    def test_two_janitors_fold_beside_each_other_without_waiting(self, storage: Storage, impatient: Storage):
        for _ in range(40):
            add_one(storage)
        with impatient.begin() as first:
            assert first.statistics.fold(datetime.now(UTC) - HOUR, 30) == 30
            assert fold(impatient) == 10
            assert numbers(impatient) == {Event.SUBMITTED: 40}
            add_one(impatient)
            first.commit()
        assert fold(impatient) == 3
        assert numbers(impatient) == {Event.SUBMITTED: 41}

    def test_a_janitor_that_is_cut_off_takes_nothing_with_it(self, storage: Storage):
        add_one(storage)
        add_one(storage)
        with storage.begin() as work:
            work.statistics.fold(datetime.now(UTC) - HOUR, 10)
            work.statistics.forget(datetime.now(UTC) + HOUR, 10)
        assert numbers(storage) == {Event.SUBMITTED: 2}

    def test_forgetting_leaves_out_locked_entries(self, storage: Storage, impatient: Storage, database: Database):
        add_one(storage)
        with storage.begin() as work:
            work.statistics.add_up(datetime.now(UTC) + HOUR)
            work.commit()
        with database.engine.begin() as other:
            other.exec_driver_sql("SELECT FROM task_event_counts FOR UPDATE")
            with impatient.begin() as work:
                assert work.statistics.forget(datetime.now(UTC) + HOUR, 10) == 0
        with impatient.begin() as work:
            assert work.statistics.forget(datetime.now(UTC) + HOUR, 10) == 1

    def test_entries_of_any_minute_are_added_up_in_few_steps(self, storage: Storage, database: Database):
        add_one(storage)
        for minute in ("-infinity", "4000-01-01Z BC", "1000-01-01Z", "infinity"):
            entry = "INSERT INTO task_event_counts VALUES (CAST(:minute AS timestamptz), 'add', 'done', '{3,NULL}')"
            changed(database, entry, minute=minute)
        steps: list[bool] = []
        while not steps or steps[-1]:
            with storage.begin() as work:
                steps.append(work.statistics.add_up(datetime.now(UTC) + HOUR))
                work.commit()
        assert len(steps) == 3
        with storage.begin() as work:
            work.statistics.forget(datetime.now(UTC) + HOUR, 100)
            assert work.statistics.totals()[ADD, Event.DONE] == EventCount(8, {3: 4})
            assert work.statistics.totals()[ADD, Event.SUBMITTED].number == 1

    def test_while_one_adds_up_another_does_nothing(self, storage: Storage, impatient: Storage):
        add_one(storage)
        until = datetime.now(UTC) + HOUR
        with storage.begin() as work:
            work.statistics.add_up(until - 2 * HOUR)
            work.commit()
        with storage.begin() as one, impatient.begin() as other:
            one.statistics.add_up(until)
            assert not other.statistics.add_up(until)
            one.commit()
            other.commit()
        with storage.begin() as work:
            assert work.statistics.totals()[ADD, Event.SUBMITTED].number == 1

    def test_while_many_work_and_fold_no_event_is_lost_or_counted_twice(
        self, storage: Storage, background: ThreadPoolExecutor
    ):
        is_over = Flag()
        ends: list[Counter[Event]] = []

        def work_through(n: int) -> None:
            own: Counter[Event] = Counter()
            while not is_over.is_set():
                own[Event.SUBMITTED] += len(add(storage, *[submission("ab"[n % 2])] * 5))
                for each in claim(storage, 4, wanted={"a": 4, "b": 4}, handler=f"handler-{n}"):
                    end, step = ((Event.DONE, succeed), (Event.FAILED, fail))[each.task.id % 2]
                    step(storage, each.task)
                    own[Event.STARTED] += 1
                    own[end] += 1
            ends.append(own)

        def look(_: int) -> None:
            before: Counter[Event] = Counter()
            for _ in range(20):
                fold(storage, 50)
                now = numbers(storage)
                assert not before - now
                before = now

        workers = [background.submit(work_through, n) for n in range(4)]
        try:
            together(background, look, 2)
        finally:
            is_over.set()
        for worker in workers:
            worker.result()
        assert numbers(storage) == sum(ends, Counter[Event]())


def add_and_claim(storage: Storage) -> Task:
    add_one(storage)
    return claim_one(storage)


FORTNIGHT = """
    INSERT INTO task_event_counts
    SELECT timestamptz '2026-01-01Z' + make_interval(mins => n), type, event, '{-40,-39,-38}', '{5,6,7}'
    FROM generate_series(0, 14 * 1440 - 1) AS n, unnest(ARRAY['add', 'report', 'mov3d']) AS type,
        unnest(ARRAY['submitted', 'started', 'done']) AS event
    WHERE type <> 'mov3d' OR mod(n, 1000) = 0
"""
END = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.fixture(scope="module", params=["none", "of now"])
def fortnight(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A fortnight of entries, with these statistics for the planner."""
    with new_database(postgres_url, "of_a_fortnight") as address:
        database = Database(address)
        Migration(database)()
        with database.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE task_event_counts SET (autovacuum_enabled = false)")
            connection.exec_driver_sql(FORTNIGHT)
            if request.param == "of now":
                connection.exec_driver_sql("ANALYZE task_event_counts")
        adding = True
        while adding:
            with in_postgres(database).begin() as work:
                adding = work.statistics.add_up(END - HOUR)
                work.commit()
        yield database
        database.close()


class TestPlans:
    @pytest.mark.parametrize(
        ("name", "most_buffers"),
        [
            ("counts", 60),
            ("latest", 1400),
            ("latest of a rare type", 900),
            ("fold", 200),
            ("forget", 400),
            ("totals", 100),
        ],
    )
    def test_statements_among_a_fortnight_of_entries_read_what_they_need(
        self, fortnight: Database, name: str, most_buffers: int
    ):
        with in_postgres(fortnight).begin() as work, explained(fortnight) as plans:
            {
                "counts": lambda: work.statistics.counts(END - HOUR, END, MINUTE),
                "latest": lambda: work.statistics.latest_buckets(ADD, Event.DONE, END - 24 * HOUR, 200),
                "latest of a rare type": lambda: work.statistics.latest_buckets(
                    TypeName("mov3d"), Event.DONE, END - 24 * HOUR, 200
                ),
                "fold": lambda: work.statistics.fold(END - HOUR, 10_000),
                "forget": lambda: work.statistics.forget(datetime(2026, 1, 1, 0, 10, tzinfo=UTC), 10_000),
                "totals": work.statistics.totals,
            }[name]()
        (plan,) = plans
        assert plan.indexes == {"task_event_counts_minutes"}
        assert not reads_all_entries(plan)
        assert plan.buffers <= most_buffers

    def test_statements_send_what_the_plans_are_of(self, fortnight: Database):
        with in_postgres(fortnight).begin() as work:
            hour = work.statistics.counts(END - HOUR, END, MINUTE)
            assert len(hour) == 2 * 3 * 60
            assert {count.number for count in hour.values()} == {18}
            assert work.statistics.latest_buckets(ADD, Event.DONE, END - 24 * HOUR, 200) == {-40: 60, -39: 72, -38: 84}
            assert work.statistics.fold(END - HOUR, 10_000) == 0
            assert work.statistics.forget(datetime(2026, 1, 1, 0, 10, tzinfo=UTC), 10_000) == 63
            minutes = 14 * 1440
            assert work.statistics.totals()[ADD, Event.DONE] == EventCount(
                18 * minutes, {-40: 5 * minutes, -39: 6 * minutes, -38: 7 * minutes}
            )


def reads_all_entries(plan: Plan) -> bool:
    return any(
        "Seq Scan" in node["Node Type"] and node["Relation Name"] == "task_event_counts" for node in plan.nodes()
    )
