"""Outcomes that cannot be written, for good or for now, harm nobody else's."""

from collections.abc import Iterator
from threading import Event

import pytest

from adapters.clocks import SystemClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database
from application.ports.wake_up import Topic
from application.supervisor.background import ThreadRunner
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
    """A supervisor's state, and the way of what lies there to the database."""

    def __init__(self, database: Database) -> None:
        self.storage = in_postgres(database)
        self.state = SupervisorState(SystemClock())
        self.told: list[Topic] = []
        wake_up = MemoryWakeUp()
        wake_up.listen(self.told.append, (Topic.WAITING, Topic.TAKEN))
        self.office = Context(self.state, self.storage.begin, self.storage.autocommit, Identity(HANDLER, 30))
        self.errand = Settle(self.office, wake_up)
        self.arrived = Event()
        self.courier = ThreadRunner(self.arrived.set)

    def running(self, number: int) -> list[Task]:
        add(self.storage, *[submission()] * number)
        return [claimed.task for claimed in claim(self.storage)]

    def settle(self, *settlements: Settlement) -> None:
        self.begin_to_settle(*settlements)
        self.end()

    def begin_to_settle(self, *settlements: Settlement) -> None:
        self.state.outbox += settlements
        self.arrived.clear()
        self.errand.send(self.courier)

    def end(self) -> None:
        assert self.arrived.wait(20)
        self.courier.deliver()

    def renew(self) -> None:
        arrived = Event()
        courier = ThreadRunner(arrived.set)
        RenewLeases(self.office).send(courier)
        assert arrived.wait(20)
        courier.deliver()
        courier.close()

    def statuses(self, *ids: int) -> list[Status]:
        return [task(self.storage, id).status for id in ids]


@pytest.fixture
def settling(database: Database) -> Iterator[Settling]:
    settling = Settling(database)
    yield settling
    settling.courier.close()


def success(running: Task, result: str = "1") -> Settlement:
    return Settlement.succeeded(running, NOW, result)


def test_one_bad_outcome_does_not_fail_its_batch(settling: Settling, caplog: pytest.LogCaptureFixture):
    running = settling.running(3)
    settling.settle(*map(success, running, ["1", '"\ud800"', "3"]))
    assert settling.statuses(1, 2, 3) == [Status.DONE, Status.RUNNING, Status.DONE]
    assert "the outcome of task 2 cannot be stored" in caplog.text
    assert settling.state.is_empty
    assert settling.state.unsettled == {running[1].hold}


def test_an_outcome_that_comes_after_a_cancel_is_refused_quietly(settling: Settling, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    running = settling.running(3)
    save(settling.storage, running[1].cancel(NOW))
    settling.settle(*map(success, running))
    assert settling.statuses(1, 2, 3) == [Status.DONE, Status.CANCELLED, Status.DONE]
    said = "the outcome of task 2 came late and was refused: it is not held any more"
    assert [(each.levelname, each.message) for each in caplog.records if "task 2" in each.message] == [("INFO", said)]
    assert settling.state.is_empty


def test_an_outcome_of_a_task_that_somebody_has_locked_for_long_is_kept_for_later(settling: Settling):
    running = settling.running(3)
    with settling.storage.begin() as somebody:
        somebody.tasks.lock(TaskId(2))
        settling.settle(*map(success, running))
        assert settling.statuses(1, 2, 3) == [Status.DONE, Status.RUNNING, Status.DONE]
        assert settling.state.outbox == [success(running[1])]
    settling.settle()
    assert settling.statuses(2) == [Status.DONE]
    assert settling.state.is_empty


def test_what_is_given_back_is_on_its_way_until_it_is_written(settling: Settling):
    first, second = settling.running(2)
    with settling.storage.begin() as somebody:
        somebody.tasks.lock(TaskId(2))
        settling.state.release([first, second])
        settling.settle()
        assert settling.state.prefetch.returning == {second.hold: second.type}
    settling.settle()
    assert not settling.state.prefetch.returning


def test_those_who_may_start_what_is_given_back_are_told(settling: Settling):
    first, second = settling.running(2)
    settling.settle(success(first))
    assert settling.told == []
    settling.settle(Settlement.released(second, NOW))
    assert settling.told == [Topic.WAITING]


def test_what_has_ended_is_kept_until_it_is_written(settling: Settling):
    running = settling.running(3)
    settling.state.settling = [success(running[0])]
    settling.state.outbox.append(success(running[1]))
    settling.renew()
    kept = [task(settling.storage, each.id).lease != each.lease for each in running]
    assert kept == [True, True, False]


def test_what_is_under_way_is_so_until_the_answer_has_come(settling: Settling):
    (running,) = settling.running(1)
    settling.begin_to_settle(success(running))
    assert settling.state.holds_to_renew() == [running.hold]
    settling.end()
    assert settling.state.holds_to_renew() == []
