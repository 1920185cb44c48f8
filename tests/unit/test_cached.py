"""A cache of one value that is read from the storage."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event
from weakref import ref

import pytest

from adapters.clocks import ManualClock
from application.cached import MAX_AGE_SECONDS, Cached, CachedByKey
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


class Value:
    """A value that tells whether it is kept."""


def test_values_that_are_used_no_more_are_not_kept(clock: ManualClock):
    cached = CachedByKey[int, Value](lambda _: Value(), clock, lambda _: 10.0)
    first = ref(cached(1))
    clock.move(5)
    second = ref(cached(2))
    clock.move(5)
    assert first()
    cached(3)
    assert (first(), bool(second())) == (None, True)


def test_a_value_that_is_being_read_is_not_read_by_another_thread_too(clock: ManualClock):
    reads, began, may_end = list[int](), Event(), Event()

    def read(key: int) -> int:
        reads.append(key)
        if key == 1:
            began.set()
            may_end.wait(10)
        return key

    cached = CachedByKey(read, clock, lambda _: 10.0)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(cached, 1)
        began.wait(10)
        cached(2)
        again = pool.submit(cached, 1)
        may_end.set()
        assert (first.result(), again.result()) == (1, 1)
    assert reads == [1, 2]
