"""The rounds of a janitor: when it rests, and for how long."""

import select
from collections.abc import Callable, Sequence
from math import inf

import pytest

from application.errors import StorageUnavailable
from application.ports.cleaning import DeletedTasks
from application.use_cases import clean, fold_counts, settle_lost
from application.use_cases.tick import TickResult
from entrypoints.janitor import rounds as module
from entrypoints.janitor.chores import cleaning, folding, taking_back, ticking
from entrypoints.janitor.rounds import MAX_REST_SECONDS, MAX_TURN_SECONDS, MIN_REST_SECONDS, Rounds


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """How long it rests after rounds that answer, or raise, the one after the other."""

    def rests_after(*answers: float | Exception, lease: float = 30) -> list[float]:
        waits: list[float] = []
        left = list(answers)

        def chore() -> float:
            answer = left.pop(0)
            if not left:
                rounds.stop()
            if isinstance(answer, Exception):
                raise answer
            return answer

        def wait(readers: Sequence[int], _: object, __: object, seconds: float) -> object:
            waits.append(seconds)
            return real(readers, [], [], 0)

        real = select.select
        rounds = Rounds([chore, lambda: inf], lease)
        monkeypatch.setattr(module.select, "select", wait)
        monkeypatch.setattr(module.random, "uniform", lambda low, high: 1.0)
        rounds.run()
        return waits[1:]

    return rests_after


def test_it_rests_a_second_where_nothing_is_known_of_more(rests: Callable[..., list[float]]):
    assert rests(inf, inf) == [MIN_REST_SECONDS, MIN_REST_SECONDS]


def test_it_goes_on_at_once_where_there_is_more(rests: Callable[..., list[float]]):
    assert rests(0, inf) == [0, MIN_REST_SECONDS]


def test_a_chore_that_has_more_goes_on_for_a_moment_and_then_the_others_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
):
    done: list[str] = []

    def chore(name: str, more_in: float) -> float:
        done.append(name)
        if len(done) == 8:
            rounds.stop()
        return more_in

    rounds = Rounds([lambda: chore("cleans", 0), lambda: chore("rescues", inf)], 30)
    monkeypatch.setattr(module.time, "monotonic", lambda: len(done) * MAX_TURN_SECONDS / 3)
    rounds.run()
    assert done == [*["cleans"] * 3, "rescues"] * 2


def test_who_is_stopped_in_a_turn_finishes_the_batch_at_hand_alone():
    done: list[str] = []

    def chore() -> float:
        done.append("cleans")
        rounds.stop()
        return 0

    rounds = Rounds([chore], 30)
    rounds.run()
    assert done == ["cleans"]


def test_it_is_there_when_the_next_tick_comes(rests: Callable[..., list[float]]):
    assert rests(0.3, 5.0) == [0.3, MIN_REST_SECONDS]


def test_an_outage_makes_the_rests_longer_until_it_is_over(rests: Callable[..., list[float]]):
    away = [StorageUnavailable() for _ in range(5)]
    assert rests(*away, inf) == [2, 4, 8, MAX_REST_SECONDS, MAX_REST_SECONDS, MIN_REST_SECONDS]


def test_it_looks_as_often_as_a_short_lease_needs(rests: Callable[..., list[float]]):
    assert rests(inf, lease=1) == [0.25]


def test_a_full_batch_says_that_there_may_be_more():
    assert cleaning(lambda: DeletedTasks(clean.BATCH_TASKS))() == 0
    assert cleaning(lambda: DeletedTasks(clean.BATCH_TASKS - 1, [1]))() == inf
    assert taking_back(lambda: [None] * settle_lost.BATCH_TASKS)() == 0
    assert taking_back(lambda: [None])() == inf
    assert folding(lambda: fold_counts.BATCH_ENTRIES)() == 0
    assert folding(lambda: fold_counts.BATCH_ENTRIES - 1)() == inf
    assert ticking(lambda: TickResult([], 7.5))() == 7.5
