"""Locks by sessions without our timeouts, on rows and tables beside the tasks: they hold up only what is locked."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from threading import Event, Thread
from time import monotonic

import pytest

from adapters.background import ThreadRunner
from adapters.clocks import SystemClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database
from adapters.postgres.queue import PostgresQueue
from application.errors import StorageConflict
from application.ports.processes import Processes
from application.ports.queue import ClaimedRecord, RenewalResult
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.operations.operation import Context, Identity, Operation
from application.supervisor.operations.publish import Publish, Withdraw
from application.supervisor.operations.release_orphans import ReleaseOrphans
from application.supervisor.operations.renew_leases import RenewLeases
from application.supervisor.operations.renew_record import RenewRecord
from application.supervisor.operations.store_late_logs import StoreLateLogs
from application.supervisor.state import SupervisorState
from application.use_cases.publish_types import PublishTypes
from application.use_cases.rescue_from_dead_processes import RescueFromDeadProcesses
from domain.ids import HandlerId, Hold, TaskId, TypeName
from domain.lease import Lease
from domain.settlement import LateLog, RunningLog, Settlement
from domain.status import Status
from domain.task import Task
from domain.task_type import TaskType
from tests.concurrency import asked
from tests.recurring import HOURLY, Recurring, recurring
from tests.steps import HANDLER, NOW, add, at, claim, save, submission, task
from tests.storage import in_postgres

Lock = Callable[[str], None]
REPORT, OTHER = TypeName("report"), TypeName("other")


@pytest.fixture
def lock(database: Database) -> Iterator[Lock]:
    """Executes statements in a transaction that stays open until the test ends, or `lock("ROLLBACK")`."""
    with database.engine.connect() as connection:

        def execute(statement: str) -> None:
            if statement == "ROLLBACK":
                connection.rollback()
            else:
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
                connection.exec_driver_sql(statement)

        yield execute
        connection.rollback()


class Handler:
    """A supervisor's state over the database, whose operations are carried out one at a time."""

    def __init__(self, database: Database) -> None:
        self.storage = in_postgres(database)
        self.state = SupervisorState(SystemClock())
        self.context = Context(self.state, self.storage.begin, self.storage.autocommit, Identity(HANDLER, 30))
        self.service = Recurring(self.storage)

    def do(self, operation: Operation) -> float:
        """Carry the operation out. The seconds that it took."""
        arrived, began = Event(), monotonic()
        runner = ThreadRunner(arrived.set)
        operation.send(runner)
        assert arrived.wait(20)
        runner.deliver_result()
        runner.close()
        return monotonic() - began

    def publish(self, *types: TaskType) -> Publish:
        self.state.set_types([*types])
        use_case = PublishTypes(self.storage.begin, self.service.clock, self.service.tick_once._calendar)
        return Publish(self.context, use_case, lambda types: None)

    def running(self, number: int) -> list[Task]:
        add(self.storage, *[submission()] * number)
        return [claimed.task.reported(NOW, None) for claimed in claim(self.storage)]

    def statuses(self, *tasks: Task) -> list[Status]:
        return [task(self.storage, each.id).status for each in tasks]


@pytest.fixture
def handler(database: Database) -> Handler:
    return Handler(database)


DESCRIPTIONS = "SELECT name, description FROM task_types ORDER BY name"


class TestPublishing:
    def test_a_locked_type_is_published_later_and_the_others_at_once(
        self, handler: Handler, database: Database, lock: Lock
    ):
        handler.service.publish("a", recurring(REPORT), recurring(OTHER))
        newer = [recurring(name, HOURLY, description="newer") for name in (REPORT, OTHER)]
        lock("SELECT FROM task_types WHERE name = 'report' FOR UPDATE")
        publish = handler.publish(*newer)
        assert handler.do(publish) < 0.5
        assert asked(database, DESCRIPTIONS) == [("other", "newer"), ("report", "")]
        assert {name: each.schedule for name, each in handler.service.known().items()} == {
            REPORT: recurring(REPORT).schedule,
            OTHER: newer[0].schedule,
        }
        assert handler.state.published == newer
        assert 0 < publish.due_in() <= 1
        lock("ROLLBACK")
        handler.do(publish)
        assert asked(database, DESCRIPTIONS) == [("other", "newer"), ("report", "newer")]
        assert {each.schedule for each in handler.service.known().values()} == {newer[0].schedule}
        assert publish.due_in() > 1

    def test_a_locked_schedule_is_published_later_and_the_others_at_once(self, handler: Handler, lock: Lock):
        handler.service.publish("a", recurring(REPORT), recurring(OTHER))
        newer = [recurring(name, HOURLY) for name in (REPORT, OTHER)]
        publish = handler.publish(*newer)
        lock("SELECT FROM schedules WHERE type = 'report' FOR UPDATE")
        assert handler.do(publish) < 0.5
        assert handler.state.published == newer
        lock("ROLLBACK")
        assert handler.service.known()[OTHER].schedule == newer[0].schedule
        assert handler.service.known()[REPORT].schedule == recurring(REPORT).schedule
        handler.do(publish)
        assert handler.service.known()[REPORT].schedule == newer[0].schedule

    def test_a_locked_schedule_of_a_type_that_is_left_out_is_noted_later(self, handler: Handler, lock: Lock):
        handler.service.publish("a", recurring(REPORT))
        publish = handler.publish(recurring(OTHER))
        lock("SELECT FROM schedules WHERE type = 'report' FOR UPDATE")
        handler.do(publish)
        lock("ROLLBACK")
        assert not handler.service.known()[REPORT].omitted
        handler.do(publish)
        assert handler.service.known()[REPORT].omitted

    @pytest.mark.parametrize("table", ["task_types", "schedules"])
    @pytest.mark.parametrize("mode", ["SHARE", "ACCESS EXCLUSIVE"])
    def test_a_handler_may_claim_while_a_whole_table_is_locked(
        self, handler: Handler, database: Database, lock: Lock, table: str, mode: str
    ):
        types = [recurring(REPORT)]
        publish = handler.publish(*types)
        lock(f"LOCK TABLE {table} IN {mode} MODE")
        assert handler.do(publish) < 0.5
        assert handler.state.published == types
        assert asked(database, "SELECT id, types FROM handlers") == [(HANDLER, ["report"])]
        lock("ROLLBACK")
        handler.do(publish)
        assert handler.service.shown() == {REPORT: (types[0].schedule, handler.service.known()[REPORT].next)}

    def test_a_lasting_lock_is_logged_once(self, handler: Handler, lock: Lock, caplog: pytest.LogCaptureFixture):
        handler.service.publish("a", recurring(REPORT))
        lock("SELECT FROM task_types FOR UPDATE")
        publish = handler.publish(recurring(REPORT))
        for _ in range(4):
            handler.do(publish)
        said = [each.message for each in caplog.records if each.name == Publish.__module__]
        assert said == ["locked in the database, and published as soon as that ends: report"]

    def test_a_handler_whose_record_cannot_be_written_waits_with_its_claims_and_says_so(
        self, handler: Handler, lock: Lock, caplog: pytest.LogCaptureFixture
    ):
        lock("LOCK TABLE handlers IN SHARE MODE")
        publish = handler.publish(recurring(REPORT))
        for _ in range(3):
            assert handler.do(publish) < 0.5
        assert not handler.state.published
        assert 0 < publish.due_in() <= 1
        assert caplog.text.count("the record of this handler") == 1
        lock("ROLLBACK")
        handler.do(publish)
        assert handler.state.published

    def test_a_handler_whose_record_was_deleted_renews_its_tasks_before_it_can_publish_again(
        self, handler: Handler, database: Database, lock: Lock
    ):
        publish, renew_record = handler.publish(recurring(REPORT)), RenewRecord(handler.context)
        handler.do(publish)
        (running,) = handler.running(1)
        handler.state.claimed_tasks.add([ClaimedTask.of(ClaimedRecord(running, "{}"), monotonic())])
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM handlers")
        handler.do(renew_record)
        lock("LOCK TABLE handlers IN SHARE MODE")
        handler.do(publish)
        assert not handler.state.published
        renew_leases = RenewLeases(handler.context)
        assert renew_leases.due_in() <= 0
        handler.do(renew_leases)
        assert task(handler.storage, running.id).lease != running.lease

    def test_a_handler_stops_while_all_records_are_locked(self, handler: Handler, lock: Lock):
        handler.do(handler.publish(recurring(REPORT)))
        lock("LOCK TABLE handlers IN SHARE MODE")
        assert handler.do(Withdraw(handler.context)) < 0.5
        assert not handler.state.published


class TestLateLogs:
    @pytest.fixture
    def cancelled(self, handler: Handler) -> list[Task]:
        """Three cancelled tasks, each with a late log."""
        running = handler.running(3)
        handler.state.late_logs = [LateLog.of(each, NOW, f"of {each.id}") for each in running]
        for each in running:
            save(handler.storage, each.cancel(NOW))
        return running

    def logs(self, handler: Handler) -> list[str]:
        with handler.storage.begin() as work:
            return [each.log for id in (1, 2, 3) for each in work.tasks.attempts(TaskId(id))]

    @pytest.mark.parametrize("table", ["tasks WHERE id", "attempts WHERE task"])
    def test_a_late_log_under_a_lock_is_stored_later_and_the_others_at_once(
        self, handler: Handler, lock: Lock, cancelled: list[Task], table: str
    ):
        operation, late = StoreLateLogs(handler.context), handler.state.late_logs[1]
        if "attempts" in table:
            with handler.storage.begin() as work:
                work.queue.record_late_logs([replace(late, record=replace(late.record, log=""))])
                work.commit()
        lock(f"SELECT FROM {table} = 2 FOR UPDATE")
        assert handler.do(operation) < 0.5
        assert [*filter(None, self.logs(handler))] == ["of 1", "of 3"]
        assert handler.state.late_logs == [late]
        assert 0 < operation.due_in() <= 0.5
        lock("ROLLBACK")
        handler.do(operation)
        assert self.logs(handler) == ["of 1", "of 2", "of 3"]
        assert handler.state.is_empty

    def test_late_logs_are_kept_while_all_records_are_locked(self, handler: Handler, lock: Lock, cancelled: list[Task]):
        operation = StoreLateLogs(handler.context)
        lock("LOCK TABLE attempts IN SHARE MODE")
        for _ in range(5):
            assert handler.do(operation) < 0.5
        assert len(handler.state.late_logs) == 3
        lock("ROLLBACK")
        handler.do(operation)
        assert self.logs(handler) == ["of 1", "of 2", "of 3"]

    def test_only_so_many_late_logs_are_kept(
        self, handler: Handler, lock: Lock, cancelled: list[Task], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("application.supervisor.operations.store_late_logs.MAX_LOCKED_LOGS", 2)
        lock("LOCK TABLE attempts IN SHARE MODE")
        handler.do(StoreLateLogs(handler.context))
        assert [each.record.log for each in handler.state.late_logs] == ["of 2", "of 3"]


class TestRunningLogs:
    """The output of runs that go on."""

    @pytest.fixture
    def running(self, handler: Handler) -> list[Task]:
        return handler.running(3)

    def store(self, handler: Handler, *running: Task, log: str = "so far") -> list[Hold]:
        return list(handler.storage.autocommit.report_logs([RunningLog.of(each, NOW, log) for each in running]))

    def logs(self, handler: Handler) -> list[str]:
        with handler.storage.begin() as work:
            return [each.log for id in (1, 2, 3) for each in work.tasks.attempts(TaskId(id))]

    @pytest.mark.parametrize("table", ["tasks WHERE id", "attempts WHERE task"])
    def test_a_log_under_a_lock_is_skipped_and_named_and_the_others_are_stored_at_once(
        self, handler: Handler, lock: Lock, running: list[Task], table: str
    ):
        self.store(handler, *running, log="before")
        lock(f"SELECT FROM {table} = 2 FOR UPDATE")
        began = monotonic()
        assert self.store(handler, *running) == [running[1].hold]
        assert monotonic() - began < 0.5
        assert self.logs(handler) == ["so far", "before", "so far"]
        lock("ROLLBACK")
        assert self.store(handler, running[1]) == []
        assert self.logs(handler) == ["so far"] * 3

    def test_a_lock_on_all_records_delays_no_settlement_renewal_and_claim(
        self, handler: Handler, lock: Lock, running: list[Task]
    ):
        lock("LOCK TABLE attempts IN SHARE MODE")

        def write() -> None:
            with suppress(StorageConflict):
                self.store(handler, *running)

        writer = Thread(target=write)
        writer.start()
        add(handler.storage, submission())
        began = monotonic()
        assert handler.storage.autocommit.settle([Settlement.succeeded(running[0], NOW, "1")]).refused == []
        lease = Lease.granted(HANDLER, at(10), 30)
        assert handler.storage.autocommit.renew([running[1].hold], lease) == RenewalResult([], [])
        assert len(claim(handler.storage)) == 1
        assert monotonic() - began < 0.5
        assert writer.is_alive(), "it waits for the lock all the while"
        lock("ROLLBACK")
        writer.join()

    def test_a_settlement_and_a_log_at_the_same_moment_leave_the_record_of_the_settlement(
        self, handler: Handler, database: Database, running: list[Task]
    ):
        """The log waits for no settlement: it is skipped, and dropped when it comes again."""
        with database.transaction() as connection:
            PostgresQueue(connection).settle([Settlement.succeeded(running[0], NOW, "1", "the whole")])
            assert self.store(handler, running[0]) == [running[0].hold]
            connection.commit()
        assert self.store(handler, running[0]) == []
        assert self.logs(handler) == ["the whole"]


class TestOrphans:
    def test_a_locked_orphan_is_released_later_and_the_others_at_once(self, handler: Handler, lock: Lock):
        operation, orphans = ReleaseOrphans(handler.context), handler.running(3)
        handler.state.claim_unanswered_at = monotonic()
        lock("SELECT FROM tasks WHERE id = 2 FOR UPDATE")
        assert handler.do(operation) < 0.5
        assert handler.statuses(*orphans) == [Status.WAITING, Status.RUNNING, Status.WAITING]
        assert 0 < operation.due_in() <= 0.5
        lock("ROLLBACK")
        handler.do(operation)
        assert handler.statuses(*orphans) == [Status.WAITING] * 3
        assert operation.due_in() > 1

    def test_a_locked_orphan_is_released_however_long_it_is_locked(self, handler: Handler, lock: Lock):
        operation = ReleaseOrphans(handler.context)
        (orphan,) = handler.running(1)
        handler.state.claim_unanswered_at = monotonic() - 29.9
        lock("SELECT FROM tasks FOR UPDATE")
        handler.do(operation)
        lock("ROLLBACK")
        assert handler.state.claim_unanswered_at > monotonic() - 20
        handler.do(operation)
        assert handler.statuses(orphan) == [Status.WAITING]

    def test_known_tasks_are_neither_released_nor_locked(self, handler: Handler):
        known, orphan = handler.running(2)
        with handler.storage.begin() as work, handler.storage.begin() as beside:
            assert [each.id for each in work.queue.running_under(HANDLER, 10, {known.hold})] == [orphan.id]
            assert [each.id for each in beside.queue.running_under(HANDLER, 10)] == [known.id]


class Ended(Processes):
    """Processes that have all ended."""

    def own(self) -> str | None:
        return None

    def has_ended(self, process: str) -> bool:
        return True


class TestDeadProcesses:
    @pytest.mark.parametrize(
        "statement",
        ["LOCK TABLE handlers IN SHARE MODE", "SELECT FROM handlers FOR UPDATE", "SELECT FROM attempts FOR UPDATE"],
    )
    def test_a_lock_keeps_no_other_task_from_being_rescued(self, handler: Handler, lock: Lock, statement: str):
        with handler.storage.begin() as work:
            for name in ("a-without-tasks", HANDLER, "z-without-tasks"):
                work.types.publish(HandlerId(name), [], NOW, "ended")
            work.commit()
        running = handler.running(2)
        rescue = RescueFromDeadProcesses(
            handler.storage.begin, handler.storage.pending, handler.state.clock, MemoryWakeUp(), Ended()
        )
        lock(statement)
        began = monotonic()
        assert [each.id for each in rescue()] == [each.id for each in running]
        assert monotonic() - began < 0.5
        lock("ROLLBACK")
        rescue()
        assert handler.storage.pending.processes() == {}
