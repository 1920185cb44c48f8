"""The courier carries one errand at a time, and does not give up."""

from collections.abc import Iterator
from threading import Event

import pytest

from application.errors import StorageConflict, StorageUnavailable
from application.supervisor.background import ThreadCourier

PATIENCE = 10


@pytest.fixture
def arrived() -> Event:
    return Event()


@pytest.fixture
def courier(arrived: Event) -> Iterator[ThreadCourier]:
    courier = ThreadCourier(arrived.set)
    yield courier
    courier.close()


def test_an_answer_is_brought_to_who_asks_for_it(courier: ThreadCourier, arrived: Event):
    answers: list[int] = []
    courier.send(lambda: 7, answers.append)
    assert arrived.wait(PATIENCE)
    assert answers == []
    courier.deliver()
    assert answers == [7]


def test_the_courier_is_free_again_when_the_answer_was_taken(courier: ThreadCourier, arrived: Event):
    assert courier.is_free
    courier.send(lambda: None, lambda _: None)
    assert not courier.is_free
    arrived.wait(PATIENCE)
    assert not courier.is_free
    courier.deliver()
    assert courier.is_free


def test_delivering_nothing_is_no_error(courier: ThreadCourier):
    courier.deliver()
    assert courier.is_free


@pytest.mark.parametrize("error", [StorageUnavailable(), StorageConflict()])
def test_an_errand_is_repeated_until_it_is_done(courier: ThreadCourier, arrived: Event, error: Exception):
    errors = [error, error]

    def errand() -> str:
        if errors:
            raise errors.pop()
        return "done"

    answers: list[str] = []
    courier.send(errand, answers.append)
    assert arrived.wait(PATIENCE)
    courier.deliver()
    assert answers == ["done"]


def test_an_errand_that_meets_a_lock_again_and_again_leaves_the_others_their_turn(
    courier: ThreadCourier, arrived: Event
):
    def errand() -> None:
        raise StorageConflict

    courier.send(errand, lambda _: None)
    assert arrived.wait(PATIENCE)
    courier.deliver()
    assert courier.is_free


def test_an_errand_that_can_never_be_done_does_not_hold_up_the_others(
    courier: ThreadCourier, arrived: Event, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(courier, "_longest_pause", 0)
    answers: list[float] = []
    courier.send(lambda: 1 / 0, answers.append)
    assert arrived.wait(PATIENCE)
    courier.deliver()
    assert courier.is_free
    arrived.clear()
    courier.send(lambda: 7, answers.append)
    assert arrived.wait(PATIENCE)
    courier.deliver()
    assert answers == [7]


def test_a_closed_courier_gives_up_what_cannot_be_delivered(courier: ThreadCourier, arrived: Event):
    tried = Event()

    def errand() -> None:
        tried.set()
        raise StorageUnavailable

    courier.send(errand, lambda _: None)
    assert tried.wait(PATIENCE)
    courier.close()
    assert not arrived.is_set()
