"""The thread runner makes one call at a time, and repeats it while the storage is away."""

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


def test_a_result_is_delivered_on_the_thread_that_asks_for_it(runner: ThreadRunner, arrived: Event):
    answers: list[int] = []
    runner.submit(lambda: 7, answers.append)
    assert arrived.wait(PATIENCE)
    assert answers == []
    runner.deliver_result()
    assert answers == [7]


def test_the_runner_is_idle_again_once_the_result_is_delivered(runner: ThreadRunner, arrived: Event):
    assert runner.is_idle
    runner.submit(lambda: None, lambda _: None)
    assert not runner.is_idle
    arrived.wait(PATIENCE)
    assert not runner.is_idle
    runner.deliver_result()
    assert runner.is_idle


def test_delivering_without_a_result_is_no_error(runner: ThreadRunner):
    runner.deliver_result()
    assert runner.is_idle


@pytest.mark.parametrize("error", [StorageUnavailable(), StorageConflict()])
def test_a_call_is_repeated_until_it_succeeds(runner: ThreadRunner, arrived: Event, error: Exception):
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


def test_a_call_with_conflict_after_conflict_is_given_up(runner: ThreadRunner, arrived: Event):
    def call() -> None:
        raise StorageConflict

    runner.submit(call, lambda _: None)
    assert arrived.wait(PATIENCE)
    runner.deliver_result()
    assert runner.is_idle


def test_a_call_that_fails_for_another_reason_is_given_up_and_the_next_is_made(
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


def test_closing_the_runner_gives_up_its_call(runner: ThreadRunner, arrived: Event):
    tried = Event()

    def call() -> None:
        tried.set()
        raise StorageUnavailable

    runner.submit(call, lambda _: None)
    assert tried.wait(PATIENCE)
    runner.close()
    assert not arrived.is_set()
