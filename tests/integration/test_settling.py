"""Settlements that cannot be written, for good or for now, harm no other settlement."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event
from time import monotonic

import pytest

from adapters.background import ThreadRunner
from adapters.clocks import SystemClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database
from application.ports.wake_up import Topic
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.operations.operation import Context, Identity
from application.supervisor.operations.renew_leases import RenewLeases
from application.supervisor.operations.settle import Settle, SettleBusy
from application.supervisor.state import SupervisorState
from domain.failure import Error
from domain.ids import TaskId
from domain.settlement import LateLog, Settlement
from domain.status import Status
from domain.task import Task
from tests.steps import HANDLER, NOW, add, claim, save, submission, task
from tests.storage import in_postgres

Refuse = Callable[[str, str], None]


class Settling:
    """A supervisor's state, whose outbox is written to the database."""

    def __init__(self, database: Database) -> None:
        self.storage = in_postgres(database)
        self.state = SupervisorState(SystemClock())
        self.notified: list[Topic] = []
        wake_up = MemoryWakeUp()
        wake_up.listen(self.notified.append, (Topic.WAITING, Topic.TAKEN))
        self.context = Context(self.state, self.storage.begin, self.storage.autocommit, Identity(HANDLER, 30))
        self.settle_operation = Settle(self.context, wake_up, self.state.outbox)
        self.busy_operation = SettleBusy(self.context, wake_up, self.state.outbox)
        self.arrived = Event()
        self.runner = ThreadRunner(self.arrived.set)

    def running(self, number: int) -> list[Task]:
        add(self.storage, *[submission()] * number)
        return [claimed.task for claimed in claim(self.storage)]

    def settle(self, *settlements: Settlement) -> None:
        self.begin_to_settle(*settlements)
        self.end()

    def settle_busy(self) -> None:
        self.arrived.clear()
        self.busy_operation.send(self.runner)
        self.end()

    def begin_to_settle(self, *settlements: Settlement) -> None:
        self.state.outbox.fresh += settlements
        self.arrived.clear()
        self.settle_operation.send(self.runner)

    def end(self) -> None:
        assert self.arrived.wait(20)
        self.runner.deliver_result()

    def renew(self) -> None:
        arrived = Event()
        runner = ThreadRunner(arrived.set)
        RenewLeases(self.context).send(runner)
        assert arrived.wait(20)
        runner.deliver_result()
        runner.close()

    def statuses(self, *ids: int) -> list[Status]:
        return [task(self.storage, id).status for id in ids]


@pytest.fixture
def settling(database: Database) -> Iterator[Settling]:
    settling = Settling(database)
    yield settling
    settling.runner.close()


def success(running: Task, result: str = "1") -> Settlement:
    return Settlement.succeeded(running, NOW, result)


def test_a_settlement_that_cannot_be_stored_fails_no_other(settling: Settling, caplog: pytest.LogCaptureFixture):
    running = settling.running(3)
    settling.settle(*map(success, running, ["1", '"\ud800"', "3"]))
    assert settling.statuses(1, 2, 3) == [Status.DONE, Status.FAILED, Status.DONE]
    why = "its outcome cannot be stored: it has characters that the database cannot store"
    assert task(settling.storage, 2).error == Error("Unstorable", why, 1)
    assert "the outcome of task 2 (add) cannot be stored" in caplog.text
    assert settling.state.is_empty
    assert not settling.state.unstorable


@pytest.fixture
def refusing(database: Database) -> Iterator[Refuse]:
    """Adds a condition that an administrator might add to the tasks or the attempts."""
    tables: list[str] = []

    def refuse(table: str, condition: str) -> None:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT odd CHECK ({condition})")
        tables.append(table)

    yield refuse
    for table in tables:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT odd")


def test_a_result_that_a_constraint_forbids_fails_its_task_for_good(settling: Settling, refusing: Refuse):
    refusing("tasks", "result <> 'secret'")
    add(settling.storage, *[submission(max_attempts=5)] * 3)
    running = [claimed.task for claimed in claim(settling.storage)]
    settling.settle(*map(success, running, ["1", "secret", "3"]))
    assert settling.statuses(1, 2, 3) == [Status.DONE, Status.FAILED, Status.DONE]
    error = task(settling.storage, 2).error
    assert error == Error("Unstorable", "its outcome cannot be stored: a constraint of the database forbids it", 1)


def test_a_log_that_cannot_be_stored_is_dropped_and_the_result_is_kept(settling: Settling, refusing: Refuse):
    refusing("attempts", "log = '\"\"'")
    (running,) = settling.running(1)
    settling.settle(Settlement.succeeded(running, NOW, "1", "printed"))
    assert settling.statuses(1) == [Status.DONE]


def test_a_task_of_which_nothing_can_be_stored_counts_as_lost(settling: Settling, refusing: Refuse):
    refusing("tasks", "status NOT IN ('done', 'failed')")
    (running,) = settling.running(1)
    settling.settle(success(running))
    assert settling.statuses(1) == [Status.RUNNING]
    assert settling.state.unstorable.keys() == {running.hold}


@pytest.mark.parametrize("held", [1, 6])
def test_fresh_outcomes_do_not_wait_for_locked_rows(settling: Settling, held: int):
    running = settling.running(held + 5)
    with settling.storage.begin() as other:
        other.tasks.lock(*(each.id for each in running[:held]))
        began = monotonic()
        settling.settle(*map(success, running))
        assert settling.statuses(*(each.id for each in running[held:])) == [Status.DONE] * 5
        assert monotonic() - began < 0.5
        assert settling.state.outbox.busy == [success(each) for each in running[:held]]
        assert not settling.state.outbox.fresh
    settling.settle_busy()
    assert {*settling.statuses(*(each.id for each in running))} == {Status.DONE}


def test_outcomes_with_records_do_not_wait_for_a_locked_record(settling: Settling, database: Database):
    first, second = settling.running(2)
    failures = [Settlement.lost(replace(each, started=NOW), NOW, "printed") for each in (first, second)]
    with settling.storage.begin() as work:
        late = failures[0].attempt
        assert late
        work.queue.record_late_logs([LateLog(first.hold, first.created, late)])
        work.commit()
    with database.engine.begin() as other:
        other.exec_driver_sql("SELECT FROM attempts WHERE task = 1 FOR UPDATE")
        began = monotonic()
        settling.settle(*failures)
        assert settling.statuses(1, 2) == [Status.RUNNING, Status.WAITING]
        assert settling.storage.autocommit.settle_unlocked(failures[:1]).busy == failures[:1]
        assert monotonic() - began < 0.5
    settling.settle_busy()
    assert settling.statuses(1) == [Status.WAITING]


@pytest.mark.parametrize("mode", ["SHARE", "ACCESS EXCLUSIVE"])
@pytest.mark.parametrize("table", ["attempts", "deliveries"])
def test_plain_outcomes_do_not_wait_for_a_lock_on_a_table_beside_the_tasks(
    settling: Settling, database: Database, table: str, mode: str
):
    callback = "https://example.org/" if table == "deliveries" else None
    add(settling.storage, *[submission(callback=callback)] * 20, *[submission()] * 20)
    (*others,) = (claimed.task for claimed in claim(settling.storage))
    log = "printed" if table == "attempts" else ""
    locked = [Settlement.succeeded(each, NOW, "1", log) for each in others[:20]]
    plain = [success(each) for each in others[20:]]
    seconds: list[float] = []

    def settle(*settlements: Settlement) -> None:
        began = monotonic()
        settling.settle(*settlements)
        seconds.append(monotonic() - began)

    with database.engine.begin() as other:
        other.exec_driver_sql(f"LOCK TABLE {table} IN {mode} MODE")
        settle(*locked[:10], *plain[:10], *locked[10:])
        assert {*settling.statuses(*(each.task.id for each in plain[:10]))} == {Status.DONE}
        settle(*plain[10:])
        assert {*settling.statuses(*(each.task.id for each in plain))} == {Status.DONE}
        assert {each.hold for each in settling.state.outbox.busy} == {each.hold for each in locked}
        began = monotonic()
        settling.settle_busy()
        seconds.append(monotonic() - began)
    mixed, plain_ones, busy_ones = seconds
    assert (mixed < 0.2, plain_ones < 0.1, busy_ones < 0.4) == (True, True, True), seconds
    settling.settle_busy()
    assert {*settling.statuses(*(each.id for each in others))} == {Status.DONE}
    assert settling.state.is_empty


def test_outcomes_wait_while_the_whole_table_is_locked(settling: Settling, database: Database):
    running = settling.running(2)
    with database.engine.begin() as other:
        other.exec_driver_sql("LOCK TABLE tasks IN SHARE MODE")
        settling.settle(*map(success, running))
        assert settling.state.outbox.busy == [*map(success, running)]
    settling.settle_busy()
    assert settling.statuses(1, 2) == [Status.DONE, Status.DONE]


def test_a_settlement_with_a_large_result_goes_to_the_outbox_of_large_ones(settling: Settling):
    small, large = (ClaimedTask(each.hold, each, "{}", 0.0) for each in settling.running(2))
    settling.state.settle(small, lambda task, now: Settlement.succeeded(task, now, "1"))
    settling.state.settle(large, lambda task, now: Settlement.succeeded(task, now, f'"{"x" * 300_000}"'))
    assert [len(each) for each in (settling.state.outbox, settling.state.large_outbox)] == [1, 1]
    assert {*settling.state.known_holds()} == {small.hold, large.hold}
    assert [*settling.state.holds_to_renew()] == [small.hold, large.hold]


def test_a_settlement_after_a_cancel_is_refused_as_info(settling: Settling, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    running = settling.running(3)
    save(settling.storage, running[1].cancel(NOW))
    settling.settle(*map(success, running))
    assert settling.statuses(1, 2, 3) == [Status.DONE, Status.CANCELLED, Status.DONE]
    said = "the outcome of task 2 (add) came late and was refused: it is not held any more"
    assert [(each.levelname, each.message) for each in caplog.records if "task 2" in each.message] == [("INFO", said)]
    assert settling.state.is_empty


def test_a_settlement_of_a_locked_task_is_kept_for_later(settling: Settling):
    running = settling.running(3)
    with settling.storage.begin() as other:
        other.tasks.lock(TaskId(2))
        settling.settle(*map(success, running))
        assert settling.statuses(1, 2, 3) == [Status.DONE, Status.RUNNING, Status.DONE]
        assert settling.state.outbox.busy == [success(running[1])]
    settling.settle_busy()
    assert settling.statuses(2) == [Status.DONE]
    assert settling.state.is_empty


def test_a_release_is_pending_until_it_is_written(settling: Settling):
    first, second = settling.running(2)
    with settling.storage.begin() as other:
        other.tasks.lock(TaskId(2))
        settling.state.release([first, second])
        settling.settle()
        assert settling.state.prefetch.pending_releases == {second.hold: second.type}
    settling.settle_busy()
    assert not settling.state.prefetch.pending_releases


def test_a_release_notifies_of_a_waiting_task(settling: Settling):
    first, second = settling.running(2)
    settling.settle(success(first))
    assert settling.notified == []
    settling.settle(Settlement.released(second, NOW))
    assert settling.notified == [Topic.WAITING]


def test_the_lease_of_an_ended_task_is_renewed_until_its_settlement_is_written(settling: Settling):
    running = settling.running(3)
    settling.state.outbox.writing = [success(running[0])]
    settling.state.outbox.fresh.append(success(running[1]))
    settling.renew()
    kept = [task(settling.storage, each.id).lease != each.lease for each in running]
    assert kept == [True, True, False]


def test_a_settlement_is_under_way_until_the_answer_has_come(settling: Settling):
    (running,) = settling.running(1)
    settling.begin_to_settle(success(running))
    assert settling.state.holds_to_renew() == [running.hold]
    settling.end()
    assert settling.state.holds_to_renew() == []
