"""The settlement of lost tasks, over a memory storage that refuses some of it."""

from collections.abc import Callable, Sequence

import pytest

from adapters.memory import MemoryStore
from adapters.memory.queue import MemoryQueue
from application.use_cases.settle_lost import settle_lost
from domain.ids import HandlerId, TaskId
from domain.settlement import Settlement
from domain.status import Status
from tests.steps import HANDLER, NOW, add, claim, submission, task
from tests.storage import Storage, in_memory

Settle = Callable[[MemoryQueue, Sequence[Settlement]], Sequence[TaskId]]


@pytest.fixture
def storage() -> Storage:
    """Three tasks that run under a handler."""
    storage = in_memory(MemoryStore())
    add(storage, *[submission()] * 3)
    claim(storage)
    return storage


def taken_back(storage: Storage) -> list[TaskId]:
    with storage.begin() as work:
        settled = settle_lost(work, work.queue.running_under(HandlerId(HANDLER), 100), NOW)
        work.commit()
    return [each.task.id for each in settled]


def statuses(storage: Storage) -> list[Status]:
    return [task(storage, id).status for id in (1, 2, 3)]


def without(refused: int, settle: Settle) -> Settle:
    """`settle` that refuses the settlement of one task, as if its row had moved on."""

    def settle_others(queue: MemoryQueue, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        others = [each for each in settlements if each.task.id != refused]
        return [*settle(queue, others), *(each.task.id for each in settlements if each not in others)]

    return settle_others


def test_a_task_whose_settlement_is_refused_is_not_among_those_taken_back(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(MemoryQueue, "settle", without(2, MemoryQueue.settle))
    assert taken_back(storage) == [1, 3]
    assert statuses(storage) == [Status.WAITING, Status.RUNNING, Status.WAITING]
    assert "task 2 is locked here, and yet not taken back" in caplog.text


def failing(id: int, settle: Settle, *, sets_aside: bool) -> Settle:
    """`settle` that fails where a batch has that task, unless the task is set aside and that is allowed."""

    def settle_or_fail(queue: MemoryQueue, settlements: Sequence[Settlement]) -> Sequence[TaskId]:
        for each in settlements:
            if each.task.id == id and not (sets_aside and each.task.status is Status.FAILED):
                raise ValueError
        return settle(queue, settlements)

    return settle_or_fail


@pytest.mark.parametrize("sets_aside", [True, False])
def test_a_task_that_cannot_be_taken_back_is_set_aside_or_left_and_its_neighbours_go_on(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, sets_aside: bool
):
    monkeypatch.setattr(MemoryQueue, "settle", failing(2, MemoryQueue.settle, sets_aside=sets_aside))
    assert taken_back(storage) == ([1, 2, 3] if sets_aside else [1, 3])
    aside = Status.FAILED if sets_aside else Status.RUNNING
    assert statuses(storage) == [Status.WAITING, aside, Status.WAITING]
