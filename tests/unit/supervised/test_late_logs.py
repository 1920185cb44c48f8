"""The log of a run is stored with its outcome, or late where its outcome may not be stored any more."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from adapters.clocks import SystemClock
from adapters.executors.thread import ThreadExecutor
from adapters.memory.queue import MemoryQueue
from application.ports.executor import Event, Failed, Succeeded
from application.supervisor.operations import settle
from application.supervisor.state import SupervisorState
from domain.ids import TaskId
from domain.lease import Lease
from domain.settlement import LateLog, Outcome, Settlement
from domain.status import Status
from tests.steps import HANDLER, NOW, add_one, claim, claim_one, submission
from tests.unit.supervised.gates import PATIENCE, doors, entered
from tests.unit.supervised.test_supervisor import Rig, eventually, rig

__all__ = ["rig"]


@pytest.fixture(autouse=True)
def printing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run have printed something."""
    hear = ThreadExecutor.events

    def events(executor: ThreadExecutor, timeout: float) -> Sequence[Event]:
        heard = hear(executor, timeout)
        return [replace(each, log="printed") if isinstance(each, Succeeded | Failed) else each for each in heard]

    monkeypatch.setattr(ThreadExecutor, "events", events)


def logs(rig: Rig, id: int) -> list[tuple[Outcome, str]]:
    with rig.store.begin() as work:
        return [(record.outcome, record.log) for record in work.tasks.attempts(TaskId(id))]


def test_a_log_is_stored_with_the_outcome(rig: Rig) -> None:
    done, failed = rig.submit("quick"), rig.submit("broken")
    rig.await_status(done, Status.DONE)
    rig.await_status(failed, Status.FAILED)
    assert logs(rig, done) == [(Outcome.DONE, "printed")]
    assert logs(rig, failed) == [(Outcome.FAILED, "printed")]


def test_the_log_of_a_cancelled_run_is_stored_late(rig: Rig) -> None:
    id = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    rig.cancel(id)
    eventually(lambda: logs(rig, id) == [(Outcome.CANCELLED, "printed")])
    assert rig.task(id).status is Status.CANCELLED


def test_the_log_of_a_refused_outcome_is_stored_late(rig: Rig) -> None:
    id = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    rig.is_away = True
    doors["a"].set()
    eventually(lambda: rig.executor.free == 2)
    rig.cancel(id)
    rig.is_away = False
    eventually(lambda: logs(rig, id) == [(Outcome.CANCELLED, "printed")])


def test_the_log_of_a_run_that_was_taken_away_is_stored_late(rig: Rig) -> None:
    id = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    eventually(lambda: rig.task(id).started)
    with rig.store.begin() as work:
        (stored,) = filter(None, [work.tasks.get(TaskId(id))])
        work.queue.settle([Settlement.lost(stored.task, rig.clock.now())])
        work.commit()
    claim(rig.storage, 1, now=rig.clock.now(), wanted={"gated": 1}, handler="other")
    eventually(lambda: logs(rig, id) == [(Outcome.LOST, "printed")])


@pytest.mark.parametrize("rig", [{"grace": 0.1}], indirect=True)
def test_the_log_of_a_run_that_is_stopped_after_the_grace_is_stored(rig: Rig) -> None:
    id = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    rig.drain()
    assert logs(rig, id) == [(Outcome.LOST, "printed")]


def test_the_state_is_not_empty_while_a_late_log_is_not_stored() -> None:
    running = submission().registered(TaskId(1)).claim(Lease.granted(HANDLER, NOW, 30))
    state = SupervisorState(SystemClock())
    assert state.is_empty
    state.late_logs.append(LateLog.of(running, NOW, "printed"))
    assert not state.is_empty


def test_logs_count_towards_the_size_of_a_batch(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    add_one(rig.storage)
    settlement = Settlement.succeeded(claim_one(rig.storage), NOW, "1", "x" * 50)
    monkeypatch.setattr(settle, "MAX_CHARACTERS", 102)
    assert len(settle.first_batch([settlement] * 5)) == 2


def test_a_log_that_cannot_be_stored_does_not_hold_up_outcomes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("cannot be stored")

    monkeypatch.setattr(MemoryQueue, "record_late_logs", refuse)
    id = rig.submit("gated", '{"gate":"a"}')
    assert entered["a"].wait(PATIENCE)
    rig.cancel(id)
    eventually(lambda: rig.executor.free == 2)
    rig.await_status(rig.submit("quick"), Status.DONE)
    rig.drain()
    assert logs(rig, id) == []
