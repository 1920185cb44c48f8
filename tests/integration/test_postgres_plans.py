"""Plans of the hot statements: each reads its index and little else, at any depth of the queue."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from psycopg2.extras import NamedTupleCursor
from sqlalchemy import event

from adapters.postgres import Database, Migration, PostgresStore
from application.errors import StorageUnavailable
from application.ports.listing import End, Filter, Part
from application.ports.queue import ClaimRequest, Cursor, ProgressReport
from application.ports.task_repository import UNKNOWN_VERSION
from application.ports.unit_of_work import UnitOfWork
from domain.ids import HandlerId, TaskId, TypeName
from domain.lease import Lease
from domain.settlement import RunningLog, Settlement
from domain.status import RULES, Status, Verb
from domain.task import Task
from tests.concurrency import asked, new_database
from tests.steps import BOOM, NOW, PLAIN
from tests.storage import Storage, in_postgres

SMALL, LARGE, HUGE = 1, 100, 1000
WANTED = {TypeName("add"): 1000, TypeName("report"): 1000, TypeName("gone"): 10}
LEASE = Lease.granted(HandlerId("handler-1"), NOW, 30)

# First of all a few that have failed or are done, of which lists are asked for: they lie behind everything else.
# In front of what is due: delayed tasks of its types with a higher priority, and tasks of a foreign type. Behind it:
# what has finished. Beside it: what runs, and what has expired. All have the term 1, and what has failed the term 2.
FILL = """
    INSERT INTO tasks (type, priority, status, run_at, expire, created, ttl, args, max_attempts, max_losses,
        attempt, claims, handler, lease_until, finished, result, error, terms)
    SELECT type, priority, status, run_at, expire,
        timestamptz '2025-12-01Z' + row_number() OVER () * interval '1 second', 60, '{"n": 1}', 1, 3,
        CASE status WHEN 'waiting' THEN 0 ELSE 1 END, CASE status WHEN 'waiting' THEN 0 ELSE 1 END,
        CASE status WHEN 'running' THEN 'handler-2' END, CASE status WHEN 'running' THEN run_at END,
        CASE WHEN status IN ('done', 'failed') THEN run_at END, CASE status WHEN 'done' THEN '1' END,
        CASE status WHEN 'failed' THEN '["ValueError", "boom", 1]' END,
        CASE status WHEN 'failed' THEN '{1,2}' ELSE '{1}' END::bigint[]
    FROM (VALUES
        (60, '{add}', 0, 'failed', timestamptz '2026-01-01Z', timestamptz '2027-01-01Z'),
        (60, '{foreign}', 0, 'done', '2026-01-01Z', '2027-01-01Z'),
        (200 * %(scale)s, '{add,report}', 0, 'waiting', '2026-01-01Z', '2027-01-01Z'),
        (200 * %(scale)s, '{add,report}', 9, 'waiting', '2026-06-01Z', '2027-01-01Z'),
        (200 * %(scale)s, '{foreign}', 50, 'waiting', '2026-01-01Z', '2027-01-01Z'),
        (500 * %(scale)s, '{add,report}', 0, 'done', '2026-01-01Z', '2027-01-01Z'),
        (500, '{add}', 0, 'running', '2026-01-01Z', '2027-01-01Z'),
        (500, '{add}', 0, 'done', '2026-01-01Z', '2026-01-01Z')
    ) AS kind (number, types, priority, status, run_at, expire)
    CROSS JOIN LATERAL unnest(CAST(types AS text[])) AS type
    CROSS JOIN generate_series(1, number / cardinality(CAST(types AS text[])))
"""

TABLES = "tasks, task_terms, task_count_changes, task_failures"


@dataclass(frozen=True)
class Plan:
    """The output of EXPLAIN for a statement that was executed."""

    root: dict[str, Any]

    def nodes(self) -> Iterator[dict[str, Any]]:
        waiting = [self.root]
        while waiting:
            yield (node := waiting.pop())
            waiting += node.get("Plans", [])

    @property
    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in self.nodes() if "Index Name" in node}

    @property
    def reads_all_tasks(self) -> bool:
        return any("Seq Scan" in node["Node Type"] and node["Relation Name"] == "tasks" for node in self.nodes())

    @property
    def buffers(self) -> int:
        """Number of pages that were read: a node counts those below it, but not those of a write without a reader."""
        return max(node["Shared Hit Blocks"] + node["Shared Read Blocks"] for node in self.nodes())

    @property
    def rows(self) -> float:
        """Number of rows that the nodes have read."""
        return sum(
            node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
            for node in self.nodes()
        )


def plan_of(cursor: Any, statement: str, parameters: Any) -> Plan:
    """Execute a statement, and return its plan."""
    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters)
    return Plan(cursor.fetchone()[0][0]["Plan"])


UNPLANNED = ("SAVEPOINT", "RELEASE", "ROLLBACK", "SET LOCAL")


@contextmanager
def explained(database: Database) -> Iterator[list[Plan]]:
    """Yield the plans of the statements that units of work send meanwhile, with the very literals that they send."""
    plans: list[Plan] = []

    def explain(_: object, cursor: Any, statement: str, parameters: Any, *__: object) -> None:
        if statement.startswith(UNPLANNED):
            return
        beside = cursor.connection.cursor()
        beside.execute("SAVEPOINT before")
        plans.append(plan_of(beside, statement, parameters))
        beside.execute("ROLLBACK TO before")

    event.listen(database.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)


class Explained(StorageUnavailable):
    """The statement was explained and rolled back instead of sent: no row is to blame, so none is looked for."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan


class ExplainingCursor(NamedTupleCursor):
    """The cursor of operations that commit themselves: explains what they send, as it is sent, with its literals."""

    def execute(self, statement: Any, parameters: Any = None) -> None:
        if statement.startswith("PREPARE"):
            super().execute(statement, parameters)
            return
        beside = self.connection.cursor()
        beside.execute("BEGIN")
        plan = plan_of(beside, statement.removeprefix("BEGIN; "), parameters)
        beside.execute("ROLLBACK")
        raise Explained(plan)


def explained_step(database: Database, step: Callable[[Storage], object]) -> Plan:
    """Return the plan of the statement that an operation sends first; nothing is changed."""
    with (
        patch("adapters.postgres.autocommit_pool.NamedTupleCursor", ExplainingCursor),
        pytest.raises(Explained) as explained,
    ):
        step(in_postgres(database))
    return explained.value.plan


@contextmanager
def filled(url: str, scale: int, statistics: str) -> Iterator[Database]:
    with new_database(url, f"of_scale_{scale}") as address:
        database = Database(address)
        Migration(database)()
        with database.engine.begin() as connection:
            for table in TABLES.split(", "):
                connection.exec_driver_sql(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
            if statistics == "of before it grew":
                connection.exec_driver_sql(f"{FILL} LIMIT 200", {"scale": 1})
                connection.exec_driver_sql(f"ANALYZE {TABLES}")
            if scale == HUGE:  # Counts and terms would take longer than all the rest, and no claim reads them.
                connection.exec_driver_sql("ALTER TABLE tasks DISABLE TRIGGER USER")
            connection.exec_driver_sql(FILL, {"scale": scale})
            if statistics == "of now":
                connection.exec_driver_sql(f"ANALYZE {TABLES}")
        assert len(in_postgres(database).autocommit.claim(LEASE, NOW, ClaimRequest(WANTED, 10, 10**9, 10))) == 10
        yield database
        database.close()


@pytest.fixture(scope="module", params=["none", "of before it grew", "of now"])
def large(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """110,000 tasks, with these statistics for the planner."""
    with filled(postgres_url, LARGE, request.param) as database:
        yield database


@pytest.fixture(scope="module")
def small(postgres_url: str) -> Iterator[Database]:
    """1,100 tasks and those that do not depend on the scale."""
    with filled(postgres_url, SMALL, "of now") as database:
        yield database


class Hot(NamedTuple):
    """A statement that units of work send often, about ten running tasks where it needs some.

    - `indexes`: the indexes that it may read.
    - `most_buffers`: the most pages that it may touch.
    - `nth`: its place among the statements that are sent.
    """

    send: Callable[[UnitOfWork, Sequence[Task]], object]
    indexes: set[str]
    most_buffers: int
    nth: int = 0

    def plan(self, database: Database) -> Plan:
        """Return how it is carried out; nothing is changed."""
        with PostgresStore(database).begin() as work:
            running = running_tasks(work)
            with explained(database) as plans:
                self.send(work, running)
        return plans[self.nth]


class HotStep(NamedTuple):
    """The same of a statement that an operation sends which commits itself."""

    send: Callable[[Storage, Sequence[Task]], object]
    indexes: set[str]
    most_buffers: int

    def plan(self, database: Database) -> Plan:
        """Return how it is carried out; nothing is changed."""
        with PostgresStore(database).begin() as work:
            running = running_tasks(work)
        return explained_step(database, lambda storage: self.send(storage, running))


def running_tasks(work: UnitOfWork) -> Sequence[Task]:
    running = work.queue.running_under(LEASE.handler, 10)
    assert len(running) == 10
    return running


def claiming(limit: int) -> Callable[[Storage, Sequence[Task]], object]:
    return lambda storage, _: storage.autocommit.claim(LEASE, NOW, ClaimRequest(WANTED, limit, 10**9, limit))


def successes(running: Sequence[Task]) -> list[Settlement]:
    return [Settlement.succeeded(task, NOW, "1") for task in running]


def failures(running: Sequence[Task]) -> list[Settlement]:
    return [Settlement.failed(task, NOW, BOOM, PLAIN, 0) for task in running]


def paging(before: TaskId | None = None, **filter: Any) -> Callable[[UnitOfWork, Sequence[Task]], object]:
    return lambda work, _: work.listing.search(Filter(**filter), before, 51).tasks


ADD, FOREIGN = TypeName("add"), TypeName("foreign")
FAILED, DONE, RUNNING = (frozenset({status}) for status in (Status.FAILED, Status.DONE, Status.RUNNING))
THEN = datetime(2025, 12, 1, tzinfo=UTC) + timedelta(seconds=1000)
LATER = THEN + timedelta(seconds=100)
SOME = [TaskId(id) for id in range(70, 100)]
KINDS = {"tasks_kinds", "tasks_running", "tasks_pkey"}
TERMS = {"task_terms_pkey", "tasks_pkey"}
FAILURES = {"task_failures_pkey", "tasks_pkey"}
EARLY = datetime(2025, 1, 1, tzinfo=UTC)
# Where few tasks run, reading all of their leases is as good as looking each task up.
BY_HOLD = {"tasks_pkey", "tasks_running"}
STATEMENTS: dict[str, Hot | HotStep] = {
    "claim one": HotStep(claiming(1), {"tasks_waiting", "tasks_pkey"}, 100),
    "claim ten": HotStep(claiming(10), {"tasks_waiting", "tasks_pkey"}, 250),
    "claim a hundred": HotStep(claiming(100), {"tasks_waiting", "tasks_pkey"}, 1500),
    "renew": Hot(lambda work, ten: work.queue.renew([task.hold for task in ten], LEASE), BY_HOLD, 400),
    "lost": Hot(lambda work, ten: work.queue.lost([task.hold for task in ten]), BY_HOLD, 100),
    "report": Hot(lambda work, ten: work.queue.report([ProgressReport(task.hold, NOW) for task in ten]), BY_HOLD, 400),
    "settle": HotStep(lambda storage, ten: storage.autocommit.settle(successes(ten)), {"tasks_pkey"}, 300),
    "settle with records": Hot(lambda work, ten: work.queue.settle(failures(ten)), {"tasks_pkey"}, 300),
    "get many": HotStep(lambda storage, _: storage.autocommit.get_many(SOME), {"tasks_pkey"}, 250),
    "versions": HotStep(lambda storage, _: storage.autocommit.versions(SOME), {"tasks_pkey"}, 250),
    "changed": HotStep(
        lambda storage, _: storage.autocommit.changed(dict.fromkeys(SOME, UNKNOWN_VERSION)), {"tasks_pkey"}, 250
    ),
    "observe leases": HotStep(
        lambda storage, _: storage.autocommit.observe_leases(), {"tasks_pkey", "tasks_running", "handlers_pkey"}, 250
    ),
    "abandoned": Hot(lambda work, _: work.queue.lapsed([LEASE], 10), {"tasks_running"}, 250),
    "held by": Hot(lambda work, _: work.queue.held_by(HandlerId("handler-1")), {"tasks_running"}, 250),
    "left by": Hot(lambda work, _: work.queue.running_under(HandlerId("handler-1"), 10), {"tasks_running"}, 250),
    "delete expired": Hot(
        lambda work, _: work.cleaning.delete_expired(NOW, 10),
        {"tasks_expire", "tasks_pkey", "dependencies_of_parent"},
        150,
    ),
    "take undecided": Hot(
        lambda work, _: work.dependencies.take_undecided(10),
        {"changed_parents_pkey", "dependencies_of_parent", "tasks_pkey"},
        20,
    ),
    "has expired": HotStep(lambda storage, _: storage.pending.has_expired(NOW), {"tasks_expire"}, 10),
    "get": Hot(lambda work, _: work.tasks.get(TaskId(77)), {"tasks_pkey"}, 10),
    "lock": Hot(lambda work, _: work.tasks.lock(TaskId(77)), {"tasks_pkey"}, 10),
    "report logs": HotStep(
        lambda storage, ten: storage.autocommit.report_logs([RunningLog.of(task, NOW, "so far") for task in ten]),
        {*BY_HOLD, "attempts_pkey"},
        600,
    ),
    "attempts": Hot(lambda work, _: work.tasks.attempts(TaskId(77)), {"attempts_pkey", "tasks_pkey"}, 10),
    "page": Hot(lambda work, _: work.listing.search(Filter(), None, 51).tasks, {"tasks_pkey"}, 60),
    "page of the failed": Hot(paging(statuses=FAILED), KINDS, 400),
    "page of the failed of a type of which very many are done": Hot(paging(statuses=FAILED, type=ADD), KINDS, 400),
    "page of what is done behind many that wait": Hot(paging(statuses=DONE, type=FOREIGN), KINDS, 400),
    "page of the done": Hot(paging(statuses=DONE), KINDS, 600),
    "page of a type": Hot(paging(type=ADD), KINDS, 600),
    "page of what runs": Hot(paging(statuses=RUNNING), KINDS, 600),
    "page of what may be cancelled": Hot(paging(statuses=RULES[Verb.CANCEL]), KINDS, 900),
    "page in the depth": Hot(paging(TaskId(20_000), type=ADD), KINDS, 600),
    "page of a term that all have": Hot(paging(terms=frozenset({1})), TERMS, 400),
    "page of a term that all have in the depth": Hot(paging(TaskId(20_000), terms=frozenset({1})), TERMS, 400),
    "page of a term that few have": Hot(paging(terms=frozenset({1, 2})), TERMS, 1500),
    "page of a term that all have and a status that few have": Hot(
        paging(terms=frozenset({1}), statuses=FAILED), KINDS, 400, 1
    ),
    "page of a term that few have and a type that many have": Hot(
        paging(terms=frozenset({1, 2}), type=ADD, statuses=frozenset(Status) - DONE), TERMS, 1500, 1
    ),
    "first that was created from then on": Hot(paging(created_after=THEN), {"tasks_pkey"}, 120),
    "page of what was created then": Hot(paging(created_after=THEN, created_before=LATER), {"tasks_pkey"}, 250, 2),
    "page of what was created before": Hot(paging(created_before=LATER), {"tasks_pkey"}, 250, 1),
    "failure groups that a search compares": Hot(paging(error="BOOM"), FAILURES, 40, 1),
    "look at a failure group": Hot(paging(error="BOOM"), FAILURES, 400, 2),
    "tasks of a failure group": Hot(paging(error="BOOM"), {"tasks_pkey"}, 400, 3),
    "failure groups": Hot(lambda work, _: work.listing.failure_groups(100), FAILURES, 60),
    "look at what finished": Hot(paging(finished_after=EARLY), KINDS, 2500, 1),
    "page of ids": Hot(paging(ids=frozenset(SOME)), {"tasks_pkey"}, 250),
    "page of ids by their ends": Hot(
        lambda work, _: work.listing.search_by_end(Filter(ids=frozenset(SOME)), End(EARLY, TaskId(1)), 51),
        {"tasks_pkey"},
        250,
    ),
    "texts of some": Hot(lambda work, _: work.listing.texts(SOME, frozenset(Part), 1_000_000), {"tasks_pkey"}, 500),
    "remove some": Hot(lambda work, _: work.tasks.remove(*SOME), {"tasks_pkey"}, 600),
    "counts": Hot(lambda work, _: work.listing.counts(), set(), 10),
    "oldest due": Hot(lambda work, _: work.monitoring.oldest_due(NOW), {"tasks_waiting"}, 60),
    "held tasks": Hot(lambda work, _: work.monitoring.held_tasks(100), {"tasks_running"}, 250),
    "fold counts": Hot(lambda work, _: work.cleaning.fold_counts(100), set(), 100),
    "lock some": Hot(lambda work, _: work.tasks.lock(*SOME), {"tasks_pkey"}, 250),
    "save some": Hot(lambda work, ten: work.tasks.save(*(task.release(NOW) for task in ten)), {"tasks_pkey"}, 400),
}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_hot_statement_reads_its_index_and_little_else(large: Database, statement: str):
    expected = STATEMENTS[statement]
    found = expected.plan(large)
    assert not found.reads_all_tasks, json.dumps(found.root, indent=1)
    assert bool(expected.indexes) == bool(found.indexes)
    assert found.indexes <= expected.indexes
    assert found.buffers <= expected.most_buffers


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_hot_statement_is_not_overrated_so_much_that_it_would_be_compiled(large: Database, statement: str):
    """Behind a pooler a connection may have lost its settings; from this cost on, a server compiles by default."""
    assert STATEMENTS[statement].plan(large).root["Total Cost"] < 100_000


@pytest.fixture(scope="module")
def huge_without_statistics(postgres_url: str) -> Iterator[Database]:
    with filled(postgres_url, HUGE, "none") as database:
        yield database


@pytest.fixture(scope="module", params=["none", "of now"])
def huge(huge_without_statistics: Database, request: pytest.FixtureRequest) -> Database:
    """1,100,000 tasks, first without statistics for the planner."""
    assert asked(huge_without_statistics, "SELECT FROM pg_stats WHERE tablename = 'tasks'") == []
    if request.param == "of now":
        with huge_without_statistics.engine.begin() as connection:
            connection.exec_driver_sql(f"ANALYZE {TABLES}")
    return huge_without_statistics


@pytest.mark.parametrize("statement", [name for name in STATEMENTS if name.startswith("claim")])
def test_a_claim_among_a_million_reads_what_it_takes_and_little_else(huge: Database, statement: str):
    found = STATEMENTS[statement].plan(huge)
    assert found.indexes == {"tasks_waiting", "tasks_pkey"}
    assert not found.reads_all_tasks
    assert found.buffers <= STATEMENTS[statement].most_buffers


def test_the_oldest_due_task_among_a_million_is_found_by_one_look_up_for_each_type_and_priority(huge: Database):
    with huge.engine.begin() as connection:
        # The triggers that count were off while the rows were inserted.
        connection.exec_driver_sql("DELETE FROM task_count_changes")
        connection.exec_driver_sql(
            "INSERT INTO task_count_changes (type, status, change)"
            " SELECT type, status, count(*) FROM tasks GROUP BY type, status"
        )
    found = STATEMENTS["oldest due"].plan(huge)
    assert found.indexes == {"tasks_waiting"}
    assert not found.reads_all_tasks
    assert found.buffers <= STATEMENTS["oldest due"].most_buffers
    with PostgresStore(huge).begin() as work:
        due = {type: moment.isoformat() for type, moment in work.monitoring.oldest_due(NOW).items()}
    assert due == dict.fromkeys(("add", "report", "foreign"), "2026-01-01T00:00:00+00:00")


def test_the_oldest_due_task_is_found_behind_the_entries_of_claimed_ones_that_an_open_snapshot_keeps(
    postgres_url: str,
):
    with filled(postgres_url, LARGE // 2, "of now") as database, database.engine.connect() as dump:
        dump.execution_options(isolation_level="REPEATABLE READ")
        dump.exec_driver_sql("SELECT count(*) FROM tasks")
        while claiming(1000)(in_postgres(database), []):
            pass
        with PostgresStore(database).begin() as work:
            assert work.monitoring.oldest_due(NOW).keys() == {FOREIGN}
            assert work.monitoring.oldest_due(NOW + timedelta(days=365)).keys() == {FOREIGN, *WANTED} - {"gone"}


CURSORS = {(type, 0): Cursor(datetime(2026, 1, 1, tzinfo=UTC), TaskId(10**9)) for type in WANTED}


def test_a_claim_behind_cursors_touches_nothing_of_what_was_claimed_beside_an_open_snapshot(postgres_url: str):
    """Index entries of claimed tasks stay until that snapshot is gone; every claim from the beginning meets them."""
    with filled(postgres_url, LARGE // 2, "of now") as database, database.engine.connect() as dump:
        dump.execution_options(isolation_level="REPEATABLE READ")
        dump.exec_driver_sql("SELECT count(*) FROM tasks")
        while claiming(1000)(in_postgres(database), []):
            pass
        assert buffers_of_a_claim(database, CURSORS) < 100 < 200 < buffers_of_a_claim(database, {})


def buffers_of_a_claim(database: Database, cursors: Mapping[tuple[TypeName, int], Cursor]) -> int:
    request = ClaimRequest(WANTED, 100, 10**9, 100, cursors=cursors)
    return explained_step(database, lambda storage: storage.autocommit.claim(LEASE, NOW, request)).buffers


def test_a_claim_looks_at_each_cursor_a_few_times_however_many_there_are(small: Database):
    types = {TypeName(f"type {nth}"): 10 for nth in range(100)}
    cursors = {(type, priority): Cursor(NOW, TaskId(1)) for type in types for priority in range(5)}
    request = ClaimRequest(types, 100, 10**9, 100, cursors=cursors)
    found = explained_step(small, lambda storage: storage.autocommit.claim(LEASE, NOW, request))
    assert len(cursors) < found.rows < 30 * len(cursors)


SAME = ("claim", "get", "versions", "changed", "page", "counts", "oldest due", "held", "lock")
# Of two terms the rarer is found by counting some of each, at most so many.
DEEP = [name for name in STATEMENTS if name.startswith(SAME) and "term that few have" not in name]


@pytest.mark.parametrize("statement", DEEP)
def test_a_hot_statement_reads_as_many_pages_whatever_lies_in_front(small: Database, large: Database, statement: str):
    for each in (small, large):
        with each.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql(
                f"VACUUM (INDEX_CLEANUP ON) {TABLES}"
            )  # of what the other tests have rolled back
    of_small, of_large = (STATEMENTS[statement].plan(each).buffers for each in (small, large))
    assert of_large <= 1.5 * of_small
