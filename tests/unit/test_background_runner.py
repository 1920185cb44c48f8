"""The courier carries one errand at a time, and does not give up."""

from collections.abc import Iterator
from threading import Event

import pytest

from adapters.background import ThreadRunner
from application.errors import StorageConflict, StorageUnavailable

PATIENCE = 10


@pytest.fixture
def arrived() -> Event:
    return Event()


@pytest.fixture
def runner(arrived: Event) -> Iterator[ThreadRunner]:
    runner = ThreadRunner(arrived.set)
    yield runner
    runner.close()


def test_an_answer_is_brought_to_who_asks_for_it(runner: ThreadRunner, arrived: Event):
    answers: list[int] = []
    runner.submit(lambda: 7, answers.append)
    assert arrived.wait(PATIENCE)
    assert answers == []
    runner.deliver_result()
    assert answers == [7]


def test_the_runner_is_free_again_when_the_answer_was_taken(runner: ThreadRunner, arrived: Event):
    assert runner.is_idle
    runner.submit(lambda: None, lambda _: None)
    assert not runner.is_idle
    arrived.wait(PATIENCE)
    assert not runner.is_idle
    runner.deliver_result()
    assert runner.is_idle


def test_delivering_nothing_is_no_error(runner: ThreadRunner):
    runner.deliver_result()
    assert runner.is_idle


@pytest.mark.parametrize("error", [StorageUnavailable(), StorageConflict()])
def test_an_errand_is_repeated_until_it_is_done(runner: ThreadRunner, arrived: Event, error: Exception):
    errors = [error, error]

    def call() -> str:
        if errors:
            raise errors.pop()
        return "done"

    answers: list[str] = []
    runner.submit(call, answers.append)
    assert arrived.wait(PATIENCE)
    runner.deliver_result()
    assert answers == ["done"]


def test_an_errand_that_meets_a_lock_again_and_again_leaves_the_others_their_turn(runner: ThreadRunner, arrived: Event):
    def call() -> None:
        raise StorageConflict

    runner.submit(call, lambda _: None)
    assert arrived.wait(PATIENCE)
    runner.deliver_result()
    assert runner.is_idle


def test_an_errand_that_can_never_be_done_does_not_hold_up_the_others(
    runner: ThreadRunner, arrived: Event, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(runner, "_max_pause", 0)
    answers: list[float] = []
    runner.submit(lambda: 1 / 0, answers.append)
    assert arrived.wait(PATIENCE)
    runner.deliver_result()
    assert runner.is_idle
    arrived.clear()
    runner.submit(lambda: 7, answers.append)
    assert arrived.wait(PATIENCE)
    runner.deliver_result()
    assert answers == [7]


def test_a_closed_courier_gives_up_what_cannot_be_delivered(runner: ThreadRunner, arrived: Event):
    tried = Event()

    def call() -> None:
        tried.set()
        raise StorageUnavailable

    runner.submit(call, lambda _: None)
    assert tried.wait(PATIENCE)
    runner.close()
    assert not arrived.is_set()
