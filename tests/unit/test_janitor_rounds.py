"""The rounds of a janitor: the turns of the chores, and the rests between rounds."""

import random
import select
import time
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import pytest

from application.errors import StorageUnavailable
from application.ports.cleaning import DeletedTasks
from application.use_cases import clean, fold_counts, settle_lost
from application.use_cases.tick import TickResult
from domain.ids import TaskId
from entrypoints.janitor.chores import (
    create_recurring_tasks,
    delete_expired_tasks,
    fold_task_counts,
    rescue_tasks,
)
from entrypoints.janitor.rounds import MAX_REST_SECONDS, MAX_TURN_SECONDS, MIN_REST_SECONDS, Rounds


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """The rests after rounds whose chore answers or raises these, one after the other."""

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
        monkeypatch.setattr(select, "select", wait)
        monkeypatch.setattr(random, "uniform", lambda low, high: 1.0)
        rounds.run()
        return waits[1:]

    return rests_after


def test_a_janitor_rests_a_second_where_no_more_work_is_known(rests: Callable[..., list[float]]):
    assert rests(inf, inf) == [MIN_REST_SECONDS, MIN_REST_SECONDS]


def test_a_janitor_does_not_rest_while_there_is_more_work(rests: Callable[..., list[float]]):
    assert rests(0, inf) == [0, MIN_REST_SECONDS]


def test_a_chore_with_more_work_yields_to_the_next_after_its_turn(
    monkeypatch: pytest.MonkeyPatch,
):
    done: list[str] = []

    def chore(name: str, more_in: float) -> float:
        done.append(name)
        if len(done) == 8:
            rounds.stop()
        return more_in

    rounds = Rounds([lambda: chore("cleans", 0), lambda: chore("rescues", inf)], 30)
    monkeypatch.setattr(time, "monotonic", lambda: len(done) * MAX_TURN_SECONDS / 3)
    rounds.run()
    assert done == [*["cleans"] * 3, "rescues"] * 2


def test_stop_during_a_turn_finishes_the_current_batch_alone():
    done: list[str] = []

    def chore() -> float:
        done.append("cleans")
        rounds.stop()
        return 0

    rounds = Rounds([chore], 30)
    rounds.run()
    assert done == ["cleans"]


def test_a_rest_ends_at_the_next_tick(rests: Callable[..., list[float]]):
    assert rests(0.3, 5.0) == [0.3, MIN_REST_SECONDS]


def test_rests_grow_during_an_outage(rests: Callable[..., list[float]]):
    away = [StorageUnavailable() for _ in range(5)]
    assert rests(*away, inf) == [2, 4, 8, MAX_REST_SECONDS, MAX_REST_SECONDS, MIN_REST_SECONDS]


def test_a_short_lease_shortens_the_rests(rests: Callable[..., list[float]]):
    assert rests(inf, lease=1) == [0.25]


def use_case(result: object) -> Any:
    """A use case that has this result whenever it is called."""
    return lambda: result


def test_a_chore_has_more_work_after_a_full_batch():
    assert delete_expired_tasks(use_case(DeletedTasks(clean.BATCH_TASKS)))() == 0
    assert delete_expired_tasks(use_case(DeletedTasks(clean.BATCH_TASKS - 1, [TaskId(1)])))() == inf
    assert rescue_tasks(use_case([None] * settle_lost.BATCH_TASKS))() == 0
    assert rescue_tasks(use_case([None]))() == inf
    assert fold_task_counts(use_case(fold_counts.BATCH_ENTRIES))() == 0
    assert fold_task_counts(use_case(fold_counts.BATCH_ENTRIES - 1))() == inf
    assert create_recurring_tasks(use_case(TickResult([], 7.5)))() == 7.5
