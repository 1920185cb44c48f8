"""Outcomes of which the storage takes nothing: their tasks are left to be taken back, and forgotten after that."""

from collections.abc import Sequence

import pytest

from adapters.memory.autocommit import MemoryAutocommitStore
from application.errors import StatementRefused, StorageUnavailable
from application.ports.executor import Failed
from application.ports.queue import SettleResult
from application.supervisor.claimed_tasks import STOPPED
from application.supervisor.operations.find_lost import LOST_POLL_SECONDS
from domain.failure import Failure
from domain.ids import HandlerId
from domain.settlement import Settlement
from domain.status import Status
from tests.steps import BOOM, take_back, task
from tests.unit.supervised.test_step import SLOW, Bench, bench

__all__ = ["bench"]


class Storage:
    """Refuses each settlement with the next of its errors, and counts how often it was asked."""

    def __init__(self, patch: pytest.MonkeyPatch, *errors: type[Exception]) -> None:
        self.calls = 0
        self._errors = errors
        patch.setattr(MemoryAutocommitStore, "settle", self._refuse)
        patch.setattr(MemoryAutocommitStore, "settle_unlocked", self._refuse)

    def _refuse(self, settlements: Sequence[Settlement]) -> SettleResult:
        self.calls += 1
        raise self._errors[min(self.calls, len(self._errors)) - 1]


def steps(bench: Bench, number: int = 4) -> None:
    for _ in range(number):
        bench.step()
        bench.clock.move(LOST_POLL_SECONDS)


def with_a_run(bench: Bench) -> None:
    """The only task runs."""
    bench.add(SLOW)
    bench.step()
    bench.step()


def test_an_unstorable_outcome_is_forgotten_once_its_task_was_taken_back(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    with_a_run(bench)
    with monkeypatch.context() as refusing:
        Storage(refusing, ValueError)
        bench.executor.finish_all()
        steps(bench)
        (hold,) = bench.state.unstorable
    assert hold in bench.state.known_holds(), "or it would be released as an orphan, as if it had not started"
    assert hold not in bench.state.holds_to_renew()
    assert task(bench.storage, 1).status is Status.RUNNING
    take_back(bench.storage, HandlerId("me"), bench.clock.now())
    bench.state.published = ()
    steps(bench)
    assert not bench.state.unstorable


def test_nothing_is_unstorable_after_a_call_that_ends_without_an_answer(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """All its outcomes are tried again, and their leases are renewed until then."""
    bench.add(SLOW, SLOW)
    bench.step()
    bench.step()
    with monkeypatch.context() as refusing:
        # Both together, twice; then the first outcome and its two substitutes; then the second outcome.
        Storage(refusing, *[ValueError] * 5, StorageUnavailable)
        bench.executor.finish_all()
        bench.step()
        with pytest.raises(StorageUnavailable):
            bench.outcome_runner.deliver_result()
    assert not bench.state.unstorable
    assert [hold.task for hold in bench.state.holds_to_renew()] == [1, 2]
    steps(bench)
    assert [task(bench.storage, id).status for id in (1, 2)] == [Status.FAILED, Status.FAILED]


def test_an_outcome_whose_substitute_meets_a_missing_permission_is_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    with_a_run(bench)
    with monkeypatch.context() as refusing:
        storage = Storage(refusing, ValueError, ValueError, StatementRefused)
        bench.executor.finish_all()
        bench.step()
        bench.step()
        assert storage.calls == 3
        assert [each.hold.task for each in bench.state.outbox] == [1]
    steps(bench)
    assert task(bench.storage, 1).status is Status.FAILED


def test_an_outcome_whose_substitute_meets_an_outage_is_written_again(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    with_a_run(bench)
    with monkeypatch.context() as refusing:
        Storage(refusing, ValueError, ValueError, StorageUnavailable)
        bench.executor.finish_all()
        bench.step()
        with pytest.raises(StorageUnavailable):
            bench.outcome_runner.deliver_result()
    assert [each.hold.task for each in bench.state.outbox] == [1]
    steps(bench)
    assert task(bench.storage, 1).status is Status.FAILED


def fail_unsettled(bench: Bench, patch: pytest.MonkeyPatch) -> None:
    """Let the only run end with an event that cannot be applied."""

    def refuse(*_: object) -> Settlement:
        raise ValueError

    with patch.context() as failing:
        failing.setattr(Settlement, "failed", refuse)
        bench.executor.next_events += [Failed(hold, BOOM) for hold in bench.executor.running]
        bench.step()


def test_a_run_whose_event_cannot_be_applied_is_stopped_and_left_to_be_taken_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    with_a_run(bench)
    (hold,) = bench.executor.running
    fail_unsettled(bench, monkeypatch)
    assert bench.state.unstorable.keys() == {hold}
    assert not bench.executor.running
    assert not bench.state.claimed_tasks
    assert hold not in bench.state.holds_to_renew()
    take_back(bench.storage, HandlerId("me"), bench.clock.now())
    bench.state.published = ()
    steps(bench)
    assert not bench.state.unstorable


def test_an_event_of_a_run_that_is_not_known_makes_nothing_unstorable(bench: Bench):
    with_a_run(bench)
    (hold,) = bench.executor.running
    bench.executor.finish_all()
    bench.executor.next_events.append(Failed(hold, Failure("E", "again")))
    steps(bench)
    assert not bench.state.unstorable
    bench.executor.next_events.append(Failed(hold, STOPPED))
    steps(bench)
    assert not bench.state.unstorable
