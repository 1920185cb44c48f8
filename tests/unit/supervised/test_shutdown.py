"""The stop of a supervisor: drain, stop the runs after the grace, and give the last writes some time."""

import pytest

from adapters.clocks import ManualClock
from application.ports.queue import ClaimedRecord
from application.supervisor.claimed_tasks import STOPPED, ClaimedTask, StopReason
from application.supervisor.linger import Linger
from application.supervisor.shutdown import FINAL_WRITE_SECONDS, Shutdown
from application.supervisor.state import SupervisorState
from domain.ids import TaskId
from domain.lease import Lease
from tests.steps import HANDLER, NOW, submission


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def state(clock: ManualClock) -> SupervisorState:
    """The state with one dispatched task."""
    state = SupervisorState(clock)
    running = submission().registered(TaskId(1)).claim(Lease.granted(HANDLER, NOW, 30))
    state.claimed_tasks.add([ClaimedTask.of(ClaimedRecord(running, "{}"), clock.monotonic())])
    state.claimed_tasks.dispatch_first()
    return state


@pytest.fixture
def shutdown(state: SupervisorState) -> Shutdown:
    return Shutdown(state, grace=10, linger=Linger(state, None, lease=30))


def test_nothing_is_due_before_a_request(shutdown: Shutdown, state: SupervisorState, clock: ManualClock):
    shutdown.advance()
    clock.move(1_000_000)
    assert shutdown.due_at() == float("inf")
    assert not shutdown.is_overdue()
    assert not state.draining


def test_the_first_request_drains_and_stops_the_runs_after_the_grace(
    shutdown: Shutdown, state: SupervisorState, clock: ManualClock
):
    shutdown.request()
    shutdown.advance()
    assert state.draining
    assert state.runs_to_stop == []
    clock.move(10)
    shutdown.advance()
    (claimed,) = state.claimed_tasks.dispatched.values()
    assert claimed.stop_reason is StopReason.DRAINED
    assert state.runs_to_stop == [(claimed.hold, STOPPED)]


def test_a_second_request_ends_the_grace(shutdown: Shutdown, state: SupervisorState):
    shutdown.request()
    shutdown.advance()
    shutdown.request()
    shutdown.advance()
    assert state.runs_to_stop


def test_a_request_to_drain_stops_no_run_however_long_it_takes(
    shutdown: Shutdown, state: SupervisorState, clock: ManualClock
):
    shutdown.request_drain()
    shutdown.advance()
    assert state.draining
    clock.move(1_000_000)
    shutdown.advance()
    assert state.runs_to_stop == []
    assert shutdown.due_at() == float("inf")
    assert not shutdown.is_overdue()


def test_a_request_after_one_to_drain_begins_the_grace(shutdown: Shutdown, state: SupervisorState, clock: ManualClock):
    shutdown.request_drain()
    shutdown.advance()
    clock.move(1_000_000)
    shutdown.request()
    shutdown.advance()
    clock.move(9)
    shutdown.advance()
    assert state.runs_to_stop == []
    clock.move(1)
    shutdown.advance()
    assert state.runs_to_stop


def test_a_run_that_is_being_stopped_is_not_stopped_again(shutdown: Shutdown, state: SupervisorState):
    shutdown.request()
    shutdown.request()
    shutdown.advance()
    shutdown.advance()
    assert len(state.runs_to_stop) == 1


def test_the_end_of_the_grace_stays_due_until_the_runs_are_stopped(shutdown: Shutdown, clock: ManualClock):
    shutdown.request()
    shutdown.advance()
    grace_end = clock.monotonic() + 10
    clock.move(11)
    assert shutdown.due_at() == grace_end
    shutdown.advance()
    assert shutdown.due_at() == grace_end + FINAL_WRITE_SECONDS


def test_a_shutdown_is_overdue_when_the_last_writes_have_had_their_time(shutdown: Shutdown, clock: ManualClock):
    shutdown.request()
    shutdown.advance()
    clock.move(10 + FINAL_WRITE_SECONDS)
    assert not shutdown.is_overdue()
    clock.move(0.1)
    assert shutdown.is_overdue()


def test_what_is_left_of_the_grace_is_for_the_end_of_the_children(shutdown: Shutdown, clock: ManualClock):
    assert shutdown.seconds_left() == 0, "it ends by an error"
    shutdown.request()
    shutdown.advance()
    clock.move(4)
    assert shutdown.seconds_left() == 6
    clock.move(7)
    assert shutdown.seconds_left() == 0


def test_a_second_request_leaves_nothing_for_the_end_of_the_children(shutdown: Shutdown):
    shutdown.request()
    shutdown.advance()
    shutdown.request()
    assert shutdown.seconds_left() == 0
