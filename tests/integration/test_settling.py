"""Settlements that cannot be written, for good or for now, harm no other settlement."""

from collections.abc import Iterator
from threading import Event

import pytest

from adapters.background import ThreadRunner
from adapters.clocks import SystemClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database
from application.ports.wake_up import Topic
from application.supervisor.operations.operation import Context, Identity
from application.supervisor.operations.renew_leases import RenewLeases
from application.supervisor.operations.settle import Settle
from application.supervisor.state import SupervisorState
from domain.ids import TaskId
from domain.settlement import Settlement
from domain.status import Status
from domain.task import Task
from tests.steps import HANDLER, NOW, add, claim, save, submission, task
from tests.storage import in_postgres


class Settling:
    """A supervisor's state, whose outbox is written to the database."""

    def __init__(self, database: Database) -> None:
        self.storage = in_postgres(database)
        self.state = SupervisorState(SystemClock())
        self.notified: list[Topic] = []
        wake_up = MemoryWakeUp()
        wake_up.listen(self.notified.append, (Topic.WAITING, Topic.TAKEN))
        self.context = Context(self.state, self.storage.begin, self.storage.autocommit, Identity(HANDLER, 30))
        self.settle_operation = Settle(self.context, wake_up)
        self.arrived = Event()
        self.runner = ThreadRunner(self.arrived.set)

    def running(self, number: int) -> list[Task]:
        add(self.storage, *[submission()] * number)
        return [claimed.task for claimed in claim(self.storage)]

    def settle(self, *settlements: Settlement) -> None:
        self.begin_to_settle(*settlements)
        self.end()

    def begin_to_settle(self, *settlements: Settlement) -> None:
        self.state.outbox += settlements
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
    assert settling.statuses(1, 2, 3) == [Status.DONE, Status.RUNNING, Status.DONE]
    assert "the outcome of task 2 cannot be stored" in caplog.text
    assert settling.state.is_empty
    assert settling.state.unstorable == {running[1].hold}


def test_a_settlement_after_a_cancel_is_refused_as_info(settling: Settling, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    running = settling.running(3)
    save(settling.storage, running[1].cancel(NOW))
    settling.settle(*map(success, running))
    assert settling.statuses(1, 2, 3) == [Status.DONE, Status.CANCELLED, Status.DONE]
    said = "the outcome of task 2 came late and was refused: it is not held any more"
    assert [(each.levelname, each.message) for each in caplog.records if "task 2" in each.message] == [("INFO", said)]
    assert settling.state.is_empty


def test_a_settlement_of_a_locked_task_is_kept_for_later(settling: Settling):
    running = settling.running(3)
    with settling.storage.begin() as other:
        other.tasks.lock(TaskId(2))
        settling.settle(*map(success, running))
        assert settling.statuses(1, 2, 3) == [Status.DONE, Status.RUNNING, Status.DONE]
        assert settling.state.outbox == [success(running[1])]
    settling.settle()
    assert settling.statuses(2) == [Status.DONE]
    assert settling.state.is_empty


def test_a_release_is_pending_until_it_is_written(settling: Settling):
    first, second = settling.running(2)
    with settling.storage.begin() as other:
        other.tasks.lock(TaskId(2))
        settling.state.release([first, second])
        settling.settle()
        assert settling.state.prefetch.pending_releases == {second.hold: second.type}
    settling.settle()
    assert not settling.state.prefetch.pending_releases


def test_a_release_notifies_of_a_waiting_task(settling: Settling):
    first, second = settling.running(2)
    settling.settle(success(first))
    assert settling.notified == []
    settling.settle(Settlement.released(second, NOW))
    assert settling.notified == [Topic.WAITING]


def test_the_lease_of_an_ended_task_is_renewed_until_its_settlement_is_written(settling: Settling):
    running = settling.running(3)
    settling.state.settling = [success(running[0])]
    settling.state.outbox.append(success(running[1]))
    settling.renew()
    kept = [task(settling.storage, each.id).lease != each.lease for each in running]
    assert kept == [True, True, False]


def test_a_settlement_is_under_way_until_the_answer_has_come(settling: Settling):
    (running,) = settling.running(1)
    settling.begin_to_settle(success(running))
    assert settling.state.holds_to_renew() == [running.hold]
    settling.end()
    assert settling.state.holds_to_renew() == []
