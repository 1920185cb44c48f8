"""A handler that lingers ends by itself, as on a signal, once it has had nothing to do for so long."""

from collections.abc import Iterator
from math import inf

import pytest

from adapters.clocks import ManualClock
from application.ports.queue import ClaimedRecord
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.linger import Linger
from application.supervisor.shutdown import Shutdown
from application.supervisor.state import SupervisorState
from domain.ids import TaskId
from domain.lease import Lease
from domain.settlement import LateLog, Settlement
from domain.status import Status
from domain.task_type import TaskType
from tests.steps import HANDLER, NOW, submission
from tests.unit.supervised.gates import PATIENCE, close_all, doors, entered
from tests.unit.supervised.test_supervisor import Rig, eventually

RUNNING = submission().registered(TaskId(1)).claim(Lease.granted(HANDLER, NOW, 30))


class Idle:
    """A ready handler without tasks that lingers for a minute, and whose looks a test makes."""

    def __init__(self, seconds: float | None = 60) -> None:
        self.clock = ManualClock()
        self.state = SupervisorState(self.clock)
        self.state.published = [TaskType(name=RUNNING.type)]
        self.state.tally.renewed_at = self.clock.monotonic()
        self.linger = Linger(self.state, seconds, lease=30)
        self.shutdown = Shutdown(self.state, grace=10, linger=self.linger)

    def is_over_after(self, seconds: float, is_away: bool = False) -> bool:
        """Let this time pass in steps of a second, each with a renewal unless the storage is away."""
        for _ in range(int(seconds)):
            self.clock.move(1)
            if not is_away:
                self.state.tally.renewed_at = self.clock.monotonic()
            self.shutdown.advance()
        return self.linger.is_over

    def hold(self) -> None:
        """Claim and start a task."""
        self.state.claimed_tasks.add([ClaimedTask.of(ClaimedRecord(RUNNING, "{}"), self.clock.monotonic())])
        self.state.claimed_tasks.dispatch_first()


@pytest.fixture
def idle() -> Idle:
    idle = Idle()
    idle.shutdown.advance()
    return idle


def test_a_handler_that_had_nothing_to_do_for_so_long_stops_as_on_a_signal(idle: Idle):
    assert idle.shutdown.due_at() == idle.clock.monotonic() + 60
    assert not idle.is_over_after(59)
    assert not idle.state.draining
    assert idle.is_over_after(1)
    assert idle.state.draining
    assert idle.shutdown.due_at() == idle.clock.monotonic() + 10, "the grace has begun"


def test_a_handler_without_that_setting_goes_on():
    idle = Idle(seconds=None)
    assert not idle.is_over_after(100_000)
    assert idle.shutdown.due_at() == inf


def test_the_time_counts_from_the_end_of_the_last_run(idle: Idle):
    assert not idle.is_over_after(59)
    idle.hold()
    assert not idle.is_over_after(1000)
    idle.state.claimed_tasks.remove(RUNNING.hold)
    assert not idle.is_over_after(60)
    assert idle.is_over_after(1)


@pytest.mark.parametrize("what", ["outbox", "late_logs", "unstorable"])
def test_what_is_not_written_yet_is_something_to_do(idle: Idle, what: str):
    if what == "outbox":
        idle.state.outbox.fresh.append(Settlement.succeeded(RUNNING, NOW, "1"))
    elif what == "late_logs":
        idle.state.late_logs.append(LateLog.of(RUNNING, NOW, "printed"))
    else:
        idle.state.unstorable[RUNNING.hold] = RUNNING
    assert not idle.is_over_after(100)


def test_time_without_the_storage_does_not_count(idle: Idle):
    assert not idle.is_over_after(1000, is_away=True)
    assert not idle.is_over_after(60)
    assert idle.is_over_after(1)


def test_time_before_the_types_are_published_does_not_count(idle: Idle):
    idle.state.published = []
    assert not idle.is_over_after(1000)


def test_a_step_of_the_time_of_day_changes_nothing(idle: Idle):
    idle.clock.set(NOW.replace(year=2050))
    assert not idle.is_over_after(59)


def test_a_second_signal_still_ends_the_grace(idle: Idle):
    assert idle.is_over_after(60)
    idle.hold()
    idle.shutdown.request()
    idle.shutdown.advance()
    assert not idle.state.runs_to_stop
    idle.shutdown.request()
    idle.shutdown.advance()
    assert idle.state.runs_to_stop


@pytest.fixture
def rig() -> Iterator[Rig]:
    close_all()
    rig = Rig(linger=0.5)
    yield rig
    doors["door"].set()
    rig.supervisor.stop()
    rig.supervisor.stop()
    rig.thread.join(PATIENCE)
    rig.close()


def test_a_handler_runs_what_waits_is_withdrawn_and_ends_by_itself(rig: Rig):
    id = rig.submit("gated", '{"gate":"door"}')
    rig.thread.start()
    assert entered["door"].wait(PATIENCE)
    eventually(rig.handlers)
    doors["door"].set()
    rig.await_end()
    assert rig.task(id).status is Status.DONE
    assert rig.handlers() == set()
