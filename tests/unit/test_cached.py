"""A cache of one value that is read from the storage."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event

import pytest

from adapters.clocks import ManualClock
from application.cached import MAX_AGE_SECONDS, Cached
from application.errors import StorageUnavailable


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def unavailable() -> int:
    raise StorageUnavailable


def test_a_value_is_read_at_most_once_a_second(clock: ManualClock):
    cached = Cached(count(1).__next__, clock)
    values = []
    for _ in range(21):
        values.append(cached())
        clock.move(MAX_AGE_SECONDS / 10)
    assert values == [1] * 10 + [2] * 10 + [3]


def test_reading_takes_a_tenth_of_the_time_at_most(clock: ManualClock):
    def read() -> float:
        clock.move(2)
        return clock.monotonic()

    cached = Cached(read, clock)
    first = cached()
    clock.move(17.9)
    assert cached() == first
    clock.move(0.1)
    assert cached() == first + 20


def test_a_failure_is_the_answer_for_a_second_and_no_older_value_is(clock: ManualClock):
    steps: list[Callable[[], int]] = [lambda: 1, unavailable, lambda: 3]
    cached = Cached(lambda: steps.pop(0)(), clock)
    assert cached() == 1
    clock.move(MAX_AGE_SECONDS)
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            cached()
    assert len(steps) == 1
    clock.move(MAX_AGE_SECONDS)
    assert cached() == 3


def test_threads_that_need_the_value_wait_for_the_one_that_reads_it(clock: ManualClock):
    reads, may_end, numbers = Event(), Event(), count(1)

    def read() -> int:
        reads.set()
        may_end.wait(10)
        return next(numbers)

    cached = Cached(read, clock)
    with ThreadPoolExecutor() as background:
        calls = [background.submit(cached) for _ in range(4)]
        assert reads.wait(10)
        may_end.set()
        assert [call.result(10) for call in calls] == [1] * 4
