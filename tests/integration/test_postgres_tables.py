"""The tables: made once however many make them, and held by CHECKs to what the domain would write."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg2.errors
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

from adapters.postgres import Database, Migration, PostgresStore
from adapters.postgres.migrate import MIGRATIONS, NEWEST_REVISION
from adapters.postgres.usability import TABLES
from application.errors import StorageUnavailable
from application.ports.listing import Filter
from domain.delivery import DeliveryState
from domain.ids import TaskId, TypeName
from domain.options import MAX_PRIORITY, MIN_PRIORITY
from domain.settlement import Outcome
from domain.status import FINAL, RULES, Status, Verb
from tests.concurrency import asked, until_waiting
from tests.steps import add_one, claim_one, fail, submission, succeed
from tests.storage import Storage


class TestMigrating:
    def test_a_start_checks_every_table(self, database: Database):
        found = asked(
            database, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        assert {name for (name,) in found} == {*TABLES, "alembic_version"}

    def test_eight_processes_that_migrate_at_once_all_find_the_newest_tables(
        self, empty_url: str, background: ThreadPoolExecutor
    ):
        databases = [Database(empty_url) for _ in range(8)]
        ready = Barrier(8)

        def migrate(database: Database) -> bool:
            ready.wait()
            return Migration(database)()

        assert any(background.map(migrate, databases))
        assert not Migration(databases[0])()
        assert asked(databases[0], "SELECT version_num FROM alembic_version") == [(NEWEST_REVISION,)]
        for database in databases:
            database.close()

    def test_a_migration_that_failed_leaves_nothing_and_can_be_repeated(self, empty_url: str):
        database = Database(empty_url)
        with database.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE handlers (in_the_way integer)")
        with pytest.raises(Exception, match="handlers"):
            Migration(database)()
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE handlers")
        assert asked(database, "SELECT to_regclass('tasks')") == [(None,)]
        assert Migration(database)()
        database.close()

    @pytest.fixture
    def older(self, empty_url: str) -> Iterator[Callable[[str, str], Database]]:
        """A database whose tables are of that revision, and hold what a script has put in."""
        database = Database(empty_url)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))

        def of(revision: str, script: str) -> Database:
            with database.engine.connect() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
                connection.exec_driver_sql(script)
                connection.commit()
            return database

        yield of
        database.close()

    def test_the_rows_of_older_tables_are_kept(self, older: Callable[[str, str], Database]):
        database = older("0001", OLD)
        assert Migration(database)()
        with PostgresStore(database).begin() as work:
            (record,) = work.tasks.attempts(TaskId(1))
        assert (record.outcome, record.error, record.traceback, record.log) == (Outcome.FAILED, "boom", None, "")

    def test_the_tasks_of_older_tables_are_counted_and_listed(self, older: Callable[[str, str], Database]):
        database = older("0007", OLD + OTHERS)
        assert Migration(database)()
        with PostgresStore(database).begin() as work:
            assert work.listing.counts() == {ADD: {Status.WAITING: 1}, OTHER: {Status.RUNNING: 2}}
            assert [task.id for task in work.listing.search(Filter(type=OTHER), None, 10).tasks] == [3, 2]

    def test_tables_that_are_too_old_for_a_statement_count_as_away(self, older: Callable[[str, str], Database]):
        begin = PostgresStore(older("0004", "SELECT 1")).begin
        for step in (
            lambda work: work.tasks.get(TaskId(1)),
            lambda work: work.tasks.add([submission(key="k")]),
            lambda work: work.listing.counts(),
        ):
            with pytest.raises(StorageUnavailable), begin() as work:
                step(work)

    def test_adding_with_a_key_counts_as_away_without_the_index(self, older: Callable[[str, str], Database]):
        with pytest.raises(StorageUnavailable), PostgresStore(older("0008", "SELECT 1")).begin() as work:
            work.tasks.add([submission(key="k")])

    def test_an_index_that_was_left_half_built_is_built_anew(self, older: Callable[[str, str], Database]):
        database = older("0008", "CREATE INDEX tasks_kinds ON tasks (id)")
        assert Migration(database)()
        (built,) = asked(database, "SELECT pg_get_indexdef('tasks_kinds'::regclass), to_regclass('tasks_troubled')")
        assert "(type, status, id)" in built[0]
        assert built[1] is None

    def test_an_index_is_built_while_others_write_and_waits_for_open_transactions(
        self, older: Callable[[str, str], Database], background: ThreadPoolExecutor
    ):
        database = older("0008", OLD)
        with database.engine.begin() as writer:
            writer.exec_driver_sql("SELECT FROM tasks WHERE id = 1 FOR UPDATE")
            migrating = background.submit(Migration(database))
            until_waiting(database)
            with database.engine.begin() as other:
                other.exec_driver_sql(OTHERS)
        assert migrating.result()
        with database.engine.connect() as one, database.engine.connect() as other:
            assert {each.exec_driver_sql("SHOW lock_timeout").scalar() for each in (one, other)} == {"1s"}

    @pytest.fixture
    def of_revision(self, empty_url: str) -> Iterator[Callable[[str], Migration]]:
        """A database that says that its tables are of that revision."""
        database = Database(empty_url)
        Migration(database)()

        def of(revision: str) -> Migration:
            with database.engine.begin() as connection:
                connection.exec_driver_sql("UPDATE alembic_version SET version_num = %s", (revision,))
            return Migration(database)

        yield of
        database.close()

    def test_newer_tables_than_this_code_knows_are_good_enough_in_the_middle_of_an_update(
        self, of_revision: Callable[[str], Migration]
    ):
        newer = of_revision("9999")
        newer.check()
        assert not newer()

    def test_older_tables_than_this_code_needs_are_refused(self, of_revision: Callable[[str], Migration]):
        with pytest.raises(StorageUnavailable):
            of_revision("0001").check()

    def test_the_newest_revision_is_the_head_of_the_migrations(self):
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        assert ScriptDirectory.from_config(config).get_current_head() == NEWEST_REVISION


OLD = """
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses)
    VALUES ('add', '{}', now(), now(), now(), 1, 0, 1, 0);
    INSERT INTO attempts VALUES (1, 1, 1, 'failed', NULL, now(), '"boom"', 'null')
"""
OTHERS = """;
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses, status, handler,
        lease_until, attempt, claims)
    SELECT 'other', '{}', now(), now(), now(), 1, 0, 1, 0, 'running', 'one', now(), 1, 1 FROM generate_series(1, 2)
"""
ADD, OTHER = TypeName("add"), TypeName("other")
REFUSED = {
    "status_is_known": "status = 'sleeping'",
    "running_means_leased": "status = 'running'",
    "final_means_finished": "status = 'cancelled'",
    "done_means_result": "result = '1'",
    "failed_means_error": "status = 'failed', finished = now()",
    "waiting_means_not_started": "started = now()",
    "attempts_are_counted": "attempt = 2, claims = 2",
    "losses_are_counted": "losses = max_losses + 2",
    "priority_is_bounded": "priority = 101",
    "kept_for_its_time": "expire = created - interval '1 second'",
    "labels_are_an_object": "labels = '[1]'",
    "traceparent_is_a_header": "traceparent = '00-1-1-01'",
}


class TestInvariants:
    @pytest.mark.parametrize("constraint", REFUSED)
    def test_a_row_that_the_aggregate_would_never_write_is_refused(
        self, storage: Storage, database: Database, constraint: str
    ):
        add_one(storage)
        with pytest.raises(IntegrityError) as refusal, database.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE tasks SET {REFUSED[constraint]}")
        assert isinstance(refusal.value.orig, psycopg2.errors.CheckViolation)
        assert refusal.value.orig.diag.constraint_name == constraint

    @pytest.mark.parametrize(
        "change",
        [
            "handler = 'somebody'",
            "lease_until = now()",
            "status = 'running', handler = 'somebody'",
            "finished = now()",
            "status = 'done', finished = now()",
            "attempt = -1",
            "attempt = 1",
            "losses = -1",
            "priority = -101",
            "ttl = 0",
        ],
    )
    def test_halves_of_what_belongs_together_are_refused(self, storage: Storage, database: Database, change: str):
        add_one(storage)
        with pytest.raises(IntegrityError), database.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE tasks SET {change}")

    def test_every_constraint_of_the_tasks_has_its_test(self, database: Database):
        assert set(checks(database, "tasks")) == set(REFUSED)

    def test_the_statuses_of_the_table_are_those_of_the_domain(self, database: Database):
        tasks = checks(database, "tasks")
        assert quoted(tasks["status_is_known"]) == set(Status)
        assert quoted(tasks["final_means_finished"]) == set(FINAL)

    def test_the_outcomes_of_the_table_are_those_of_the_domain(self, database: Database):
        assert quoted(checks(database, "attempts")["outcome_is_known"]) == set(Outcome)

    def test_the_states_of_a_delivery_are_those_of_the_domain(self, database: Database):
        assert quoted(checks(database, "deliveries")["state_is_known"]) == set(DeliveryState)

    def test_the_bounds_of_the_table_are_those_of_the_domain(self, database: Database):
        bounds = re.findall(r"'?(-?\d+)", checks(database, "tasks")["priority_is_bounded"])
        assert [int(bound) for bound in bounds] == [MIN_PRIORITY, MAX_PRIORITY]

    def test_the_partial_indexes_hold_what_their_verbs_may_start_from(self, database: Database):
        found = asked(database, "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'tasks'")
        indexes = {name: definition.partition(" WHERE ")[2] for name, definition in found}
        assert {Status(each) for each in quoted(indexes["tasks_waiting"])} == RULES[Verb.CLAIM]
        assert {Status(each) for each in quoted(indexes["tasks_running"])} == RULES[Verb.LOSE]
        assert "<>" in indexes["tasks_expire"]
        assert set(Status) - quoted(indexes["tasks_expire"]) == RULES[Verb.DELETE]
        assert indexes["tasks_kinds"] == indexes["tasks_expire"]

    def test_a_failed_start_says_why(self, storage: Storage, database: Database):
        add_one(storage)
        silent = "INSERT INTO attempts VALUES (1, 1, 1, 'failed', NULL, now(), NULL, 'null')"
        with pytest.raises(IntegrityError, match="failed_means_error"), database.engine.begin() as connection:
            connection.exec_driver_sql(silent)

    @pytest.mark.parametrize("end", ["DELETE FROM tasks WHERE id < 3", "TRUNCATE tasks", "TRUNCATE tasks, attempts"])
    def test_attempts_go_with_their_tasks_however_those_go(self, storage: Storage, database: Database, end: str):
        for _ in range(3):
            add_one(storage)
            fail(storage, claim_one(storage))
        with database.engine.begin() as connection:
            connection.exec_driver_sql(end)
        left = asked(database, "SELECT task FROM attempts")
        assert left == asked(database, "SELECT id FROM tasks")

    def test_a_deleted_id_is_never_given_again(self, storage: Storage, database: Database):
        add_one(storage)
        succeed(storage, claim_one(storage))
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM tasks")
        assert add_one(storage).id == 2


def checks(database: Database, table: str) -> dict[str, str]:
    """The definitions of the table's CHECK constraints by name."""
    query = f"""
        SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid = '{table}'::regclass AND contype = 'c'
    """
    return dict(asked(database, query))


def quoted(definition: str) -> set[str]:
    """The words that stand in quotes."""
    return set(re.findall(r"'(\w+)'", definition))
