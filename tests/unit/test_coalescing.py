"""Calls of the same moment are carried out together, each by a step that began after the call."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from application.coalescing import Coalesced
from application.errors import StorageConflict, StorageUnavailable
from tests.concurrency import until


class Storage:
    """Doubles numbers. It stops at each step until it is let on, and goes wrong at negative ones."""

    def __init__(self) -> None:
        self.steps: list[Sequence[int]] = []
        self.is_open = Event()
        self.error: StorageUnavailable | None = None

    def doubled(self, numbers: Sequence[int]) -> Sequence[int]:
        self.steps.append(numbers)
        assert self.is_open.wait(10)
        if self.error:
            raise self.error
        if min(numbers) < 0:
            raise ValueError(numbers)
        return [2 * number for number in numbers]


class Crowd:
    """Threads that ask one storage."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.storage = Storage()
        self.together = Coalesced(self.storage.doubled)
        self._pool = pool

    def asks(self, *numbers: int) -> list[Future[int]]:
        """Each from a thread of its own, the first one before the others, which come while it is carried out."""
        first, *others = numbers
        asked = [self._pool.submit(self.together, first)]
        until(lambda: self.storage.steps)
        for nth, number in enumerate(others, 1):
            asked.append(self._pool.submit(self.together, number))
            self._until_waiting(nth)
        return asked

    def _until_waiting(self, number: int) -> None:
        until(lambda: len(self.together._waiting) == number)


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with ThreadPoolExecutor(10) as pool:
        crowd = Crowd(pool)
        yield crowd
        crowd.storage.is_open.set()


def test_a_call_that_comes_alone_is_answered_at_once(crowd: Crowd):
    crowd.storage.is_open.set()
    assert [crowd.together(1), crowd.together(2)] == [2, 4]
    assert crowd.storage.steps == [[1], [2]]


def test_calls_that_come_meanwhile_are_made_together_in_their_order(crowd: Crowd):
    asked = crowd.asks(1, 2, 3, 4)
    crowd.storage.is_open.set()
    assert [each.result(10) for each in asked] == [2, 4, 6, 8]
    assert crowd.storage.steps == [[1], [2, 3, 4]]


def test_afterwards_the_next_one_leads_again(crowd: Crowd):
    asked = crowd.asks(1, 2)
    crowd.storage.is_open.set()
    assert [each.result(10) for each in asked] == [2, 4]
    assert crowd.together(5) == 10


def test_where_the_storage_is_away_each_is_told_so_by_an_error_of_its_own(crowd: Crowd):
    asked = crowd.asks(1, 2, 3)
    crowd.storage.error = StorageUnavailable()
    crowd.storage.is_open.set()
    errors = [each.exception(10) for each in asked]
    assert [type(error) for error in errors] == [StorageUnavailable] * 3
    assert len({id(error) for error in errors}) == 3
    assert crowd.storage.steps == [[1], [2, 3]]


def test_where_one_is_wrong_the_others_are_answered_all_the_same(crowd: Crowd):
    asked = crowd.asks(1, 2, -3, 4)
    crowd.storage.is_open.set()
    assert [each.result(10) for each in asked[:2] + asked[3:]] == [2, 4, 8]
    assert isinstance(asked[2].exception(10), ValueError)
    assert crowd.together(5) == 10


def test_a_conflict_is_retried_by_each_caller_alone(crowd: Crowd):
    asked = crowd.asks(1, 2, 3)
    crowd.storage.error = StorageConflict()
    crowd.storage.is_open.set()
    assert [type(each.exception(10)) for each in asked] == [StorageConflict] * 3
    assert crowd.storage.steps[:2] == [[1], [2, 3]]
    assert sorted(map(list, crowd.storage.steps[2:])) == [[2], [3]]
