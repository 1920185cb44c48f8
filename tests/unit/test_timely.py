"""A value that is read in the background: no reader waits long for it."""

from collections.abc import Callable
from threading import Event

import pytest

from adapters.clocks import ManualClock
from application.errors import StorageUnavailable
from application.timely import MAX_AGE_SECONDS, Timely


class Source:
    """A value that counts its readings. While it is closed, a reading waits."""

    def __init__(self) -> None:
        self.readings = 0
        self.error: Exception | None = None
        self.open = Event()
        self.open.set()

    def __call__(self) -> int:
        self.readings += 1
        number, error = self.readings, self.error
        assert self.open.wait(20)
        if error:
            raise error
        return number


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def hurried(source: Source, clock: ManualClock) -> Callable[[float], Timely[int]]:
    """Makes a value for which no reader waits longer than a moment once it was read."""

    def make(max_late: float) -> Timely[int]:
        value = Timely(source, clock, max_late, patience=20)
        assert value() == 1
        value._patience = 0.01
        return value

    return make


def test_it_is_read_again_when_it_is_old(source: Source, clock: ManualClock):
    value = Timely(source, clock, patience=20)
    assert [value(), value()] == [1, 1]
    clock.move(MAX_AGE_SECONDS)
    assert value() == 2


@pytest.mark.parametrize("error", [StorageUnavailable(), ValueError("boom")])
def test_a_value_that_cannot_be_read_is_none_until_it_is_read_again(
    source: Source, clock: ManualClock, error: Exception
):
    value = Timely(source, clock, max_late=60, patience=20)
    source.error = error
    assert value() is None
    source.error = None
    assert value() is None
    clock.move(MAX_AGE_SECONDS)
    assert value() == 2


def test_a_reading_that_takes_longer_is_not_waited_for(
    source: Source, clock: ManualClock, hurried: Callable[[float], Timely[int]]
):
    value = hurried(0)
    source.open.clear()
    clock.move(MAX_AGE_SECONDS)
    assert [value(), value()] == [None, None]
    value._patience = 20
    source.open.set()
    assert value() == 2
    assert source.readings == 2


def test_the_last_value_is_used_for_a_while_meanwhile(
    source: Source, clock: ManualClock, hurried: Callable[[float], Timely[int]]
):
    value = hurried(60)
    source.open.clear()
    clock.move(MAX_AGE_SECONDS)
    assert value() == 1
    clock.move(60)
    assert value() is None
    source.open.set()
