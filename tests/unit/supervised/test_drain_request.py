"""A request to drain that stands in the storage: the supervisor finds it, notified or not, and stops as on a signal."""

from collections.abc import Iterator
from math import inf

import pytest

from application.ports.monitoring import DrainRequest
from application.supervisor.operations import find_drain_request
from application.use_cases.request_drain import RequestDrain
from domain.ids import HandlerId
from domain.status import Status
from tests.unit.supervised.gates import close_all, doors, entered
from tests.unit.supervised.test_supervisor import PATIENCE, Rig, eventually


@pytest.fixture
def rig() -> Iterator[Rig]:
    close_all()
    rig = Rig(grace=PATIENCE)
    rig.thread.start()
    eventually(rig.handlers)
    yield rig
    doors["door"].set()
    rig.supervisor.stop()
    rig.supervisor.stop()
    rig.thread.join(PATIENCE)
    rig.close()


def ask(rig: Rig, request: DrainRequest = DrainRequest.GRACE) -> None:
    RequestDrain(rig.store.begin, rig.clock, rig.wake_up)(HandlerId("me"), request)


def run_gated(rig: Rig) -> int:
    id = rig.submit("gated", '{"gate":"door"}')
    assert entered["door"].wait(PATIENCE)
    return id


@pytest.mark.parametrize("how", [*DrainRequest])
def test_a_handler_that_is_asked_finishes_what_runs_claims_nothing_more_and_ends(rig: Rig, how: DrainRequest):
    running = run_gated(rig)
    ask(rig, how)
    eventually(lambda: rig.state.draining)
    left = rig.submit("quick")
    doors["door"].set()
    rig.await_end()
    assert [rig.task(id).status for id in (running, left)] == [Status.DONE, Status.WAITING]
    assert rig.handlers() == set()


def test_a_handler_that_hears_no_notification_finds_the_request_by_looking(monkeypatch: pytest.MonkeyPatch, rig: Rig):
    assert find_drain_request.DRAIN_POLL_SECONDS < 1
    monkeypatch.setattr(find_drain_request, "DRAIN_POLL_SECONDS", 0.01)
    rig.wake_up.close()
    ask(rig)
    rig.await_end()


def test_a_request_without_a_limit_is_followed_by_one_within_the_grace(rig: Rig):
    run_gated(rig)
    ask(rig, DrainRequest.UNLIMITED)
    eventually(lambda: rig.state.draining)
    assert rig.supervisor._shutdown.due_at() == inf
    ask(rig, DrainRequest.GRACE)
    eventually(lambda: rig.supervisor._shutdown.due_at() < inf)


def test_a_signal_after_a_request_without_a_limit_begins_the_grace(rig: Rig):
    run_gated(rig)
    ask(rig, DrainRequest.UNLIMITED)
    eventually(lambda: rig.state.draining)
    rig.supervisor.stop()
    eventually(lambda: rig.supervisor._shutdown.due_at() < inf)
