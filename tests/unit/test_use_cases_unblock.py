"""Unblocking behind the use cases: it follows what is stored already, so that its failure is no failure of theirs."""

import pytest

from adapters.memory.dependencies import MemoryDependencies
from adapters.memory.task_repository import MemoryTaskRepository
from application.errors import StorageUnavailable, TriggerFailed
from application.use_cases.unblock_tasks import LEFT_OUT_SECONDS
from domain.status import Status
from domain.task import Task
from tests.unit.memory_service import Service


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture(params=[StorageUnavailable, TriggerFailed, RuntimeError])
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No dependent can be looked at."""

    def fail(*_: object) -> None:
        raise request.param

    monkeypatch.setattr(MemoryDependencies, "take_undecided", fail)


@pytest.mark.usefixtures("failing")
def test_a_task_is_submitted_and_cancelled_though_nothing_can_be_unblocked(service: Service):
    first = service.submit()
    second = service.submit(after=[first.task.id])
    assert second.task.is_blocked
    assert service.api.cancel_task()(first.task.id).task.status is Status.CANCELLED


def test_a_janitor_does_what_was_missed(service: Service, monkeypatch: pytest.MonkeyPatch):
    first = service.submit()
    second = service.submit(after=[first.task.id])
    with monkeypatch.context() as missing:
        missing.setattr(MemoryDependencies, "take_undecided", lambda *_: 1 / 0)
        service.api.cancel_task()(first.task.id)
    assert service.api.view_task()(second.task.id).task.is_blocked
    assert [task.id for task in service.janitor.unblock_tasks()().tasks] == [second.task.id]
    assert service.api.view_task()(second.task.id).task.status is Status.FAILED


def test_a_submission_is_answered_though_its_task_cannot_be_read_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    first = service.submit()

    def away(*_: object) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(type(service.autocommit), "get_many", away)
    assert service.submit(after=[first.task.id]).task.is_blocked


def test_a_task_that_cannot_be_changed_is_left_out_for_a_while(service: Service, monkeypatch: pytest.MonkeyPatch):
    first = service.submit()
    odd, fine = (service.submit(after=[first.task.id]).task.id for _ in range(2))
    save = MemoryTaskRepository.save

    def save_good(tasks: MemoryTaskRepository, *given: Task) -> None:
        if any(task.id == odd for task in given):
            raise ValueError("odd")
        save(tasks, *given)

    with monkeypatch.context() as refusing:
        refusing.setattr(MemoryTaskRepository, "save", save_good)
        service.api.cancel_task()(first.task.id)
    assert [service.api.view_task()(id).task.is_blocked for id in (odd, fine)] == [True, True]
    assert service.api.view_task()(fine).task.status is Status.FAILED
    assert service.api.view_task()(odd).task.status is Status.WAITING
    service.clock.move(LEFT_OUT_SECONDS)
    service.unblock.all()
    assert service.api.view_task()(odd).task.status is Status.FAILED
