"""The chores of a janitor: each on a loop of its own, with rests between its batches."""

import logging
import random
import select
import time
from collections.abc import Callable, Sequence
from math import inf
from threading import Event, Thread
from typing import Any

import pytest

from application.errors import StorageUnavailable
from application.log_lines import MAX_EXPIRY_LINES
from application.ports.cleaning import DeletedTasks
from application.ports.monitoring import JANITOR_SILENCE
from application.use_cases import fold_counts, forget_types, settle_lost
from application.use_cases.tick import TickResult
from domain.ids import TaskId, TypeName
from entrypoints.janitor import janitor as janitor_process
from entrypoints.janitor.chore_loops import MAX_REST_SECONDS, MIN_REST_SECONDS, ChoreLoops
from entrypoints.janitor.chores import (
    RENEWAL_SECONDS,
    SELDOM_SECONDS,
    create_recurring_tasks,
    delete_expired_tasks,
    fold_task_counts,
    forget_abandoned_types,
    forget_dead_handlers,
    renew_record,
    rescue_tasks,
    seldom,
)


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """The rests after batches of a chore that answers or raises these, one after the other."""

    def rests_after(*answers: float | Exception, lease: float = 30) -> list[float]:
        waits: list[float] = []
        left = list(answers)

        def chore() -> float:
            answer = left.pop(0)
            if not left:
                loops.stop()
            if isinstance(answer, Exception):
                raise answer
            return answer

        def wait(readers: Sequence[int], _: object, __: object, seconds: float | None = None) -> object:
            if seconds is None:
                return real(readers, [], [])
            waits.append(seconds)
            return real(readers, [], [], 0)

        real = select.select
        loops = ChoreLoops({"chore": chore}, lease)
        monkeypatch.setattr(select, "select", wait)
        monkeypatch.setattr(random, "uniform", lambda low, high: 1.0)
        loops.run()
        return waits[1:]

    return rests_after


def test_a_chore_rests_a_second_where_no_more_work_is_known(rests: Callable[..., list[float]]):
    assert rests(inf, inf) == [MIN_REST_SECONDS, MIN_REST_SECONDS]


def test_a_chore_does_not_rest_while_there_is_more_work(rests: Callable[..., list[float]]):
    assert rests(0, inf) == [0, MIN_REST_SECONDS]


def test_rests_grow_while_a_chore_fails_for_any_reason(rests: Callable[..., list[float]]):
    assert rests(ValueError("odd"), KeyError("odd"), inf) == [2, 4, MIN_REST_SECONDS]


def test_a_chore_that_fails_or_hangs_neither_ends_nor_delays_another(process_log: pytest.LogCaptureFixture):
    done, hangs = Event(), Event()
    batches: list[str] = []

    def fail() -> float:
        raise RuntimeError("this chore always fails")

    def hang() -> float:
        hangs.wait(20)
        return inf

    def work() -> float:
        batches.append("works")
        if len(batches) == 5:
            done.set()
        return 0 if len(batches) < 5 else inf

    loops = ChoreLoops({"failing": fail, "hanging": hang, "working": work}, 0.04)
    janitor = Thread(target=loops.run)
    janitor.start()
    assert done.wait(20)
    loops.stop()
    hangs.set()
    janitor.join(20)
    assert not janitor.is_alive()
    assert len([record for record in process_log.records if record.exc_info]) == 1


def test_stop_during_a_batch_finishes_it_and_begins_no_other():
    done: list[str] = []

    def chore() -> float:
        done.append("cleans")
        loops.stop()
        return 0

    loops = ChoreLoops({"cleaning": chore}, 30)
    loops.run()
    assert done == ["cleans"]


def test_a_rest_ends_at_the_next_tick(rests: Callable[..., list[float]]):
    assert rests(0.3, 5.0) == [0.3, MIN_REST_SECONDS]


def test_rests_grow_during_an_outage(rests: Callable[..., list[float]]):
    away = [StorageUnavailable() for _ in range(5)]
    assert rests(*away, inf) == [2, 4, 8, MAX_REST_SECONDS, MAX_REST_SECONDS, MIN_REST_SECONDS]


def test_a_short_lease_shortens_the_rests(rests: Callable[..., list[float]]):
    assert rests(inf, lease=1) == [0.25]


def test_a_seldom_chore_rests_for_longer_unless_it_has_more_work_or_fails(monkeypatch: pytest.MonkeyPatch):
    answers: list[float | Exception] = [0, ValueError("odd"), inf, inf]

    def chore() -> float:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    batch = seldom(chore)
    assert batch() == 0
    with pytest.raises(ValueError, match="odd"):
        batch()
    assert (batch(), batch(), len(answers)) == (inf, inf, 1)
    now = SELDOM_SECONDS
    assert (batch(), answers) == (inf, [])


def test_the_record_of_a_janitor_is_renewed_every_few_seconds_and_so_before_it_seems_silent(
    monkeypatch: pytest.MonkeyPatch,
):
    now, renewals = 0.0, []
    monkeypatch.setattr(time, "monotonic", lambda: now)
    chore = renew_record(lambda: renewals.append(now))  # type: ignore[arg-type]
    while now < JANITOR_SILENCE.total_seconds():
        chore()
        now += MIN_REST_SECONDS
    assert renewals == [0, 5, 10, 15]
    assert JANITOR_SILENCE.total_seconds() > RENEWAL_SECONDS + 1.25 * MAX_REST_SECONDS, "one failure is no silence"


def test_a_janitor_stops_though_its_withdrawal_is_not_answered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(janitor_process, "WITHDRAWAL_SECONDS", 0.01)
    answer, done = Event(), Event()

    def withdraw_when_answered() -> None:
        answer.wait(10)
        done.set()

    janitor_process.withdraw(withdraw_when_answered)  # type: ignore[arg-type]
    assert not done.is_set()
    answer.set()
    assert done.wait(10)


def use_case(result: object) -> Any:
    """A use case that has this result whenever it is called."""
    return lambda: result


def test_cleaning_logs_each_task_that_expired_before_it_ran(caplog: pytest.LogCaptureFixture):
    unrun = {TaskId(7): TypeName("fetch"), TaskId(9): TypeName("mov3d")}
    delete_expired_tasks(use_case(DeletedTasks(8, unrun)))()
    assert caplog.messages[-2:] == [
        "task 7 (fetch) expired before it ran, and is deleted",
        "task 9 (mov3d) expired before it ran, and is deleted",
    ]


def test_cleaning_logs_no_more_lines_than_can_be_written(caplog: pytest.LogCaptureFixture):
    unrun = {TaskId(id): TypeName("fetch") for id in range(MAX_EXPIRY_LINES + 3)}
    delete_expired_tasks(use_case(DeletedTasks(len(unrun), unrun)))()
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert len(warnings) == MAX_EXPIRY_LINES + 1
    assert warnings[-1] == "3 more tasks expired before they ran, and are deleted"


def test_a_chore_has_more_work_after_a_full_batch():
    assert delete_expired_tasks(use_case(DeletedTasks(8, is_full=True)))() == 0
    assert delete_expired_tasks(use_case(DeletedTasks(8, {TaskId(1): TypeName("add")})))() == inf
    assert forget_dead_handlers(use_case(3))() == inf
    assert renew_record(use_case(None))() == inf
    assert forget_abandoned_types(use_case(["old"] * forget_types.BATCH_TYPES))() == 0
    assert forget_abandoned_types(use_case(["old"]))() == inf
    assert rescue_tasks(use_case([None] * settle_lost.BATCH_TASKS))() == 0
    assert rescue_tasks(use_case([None]))() == inf
    assert fold_task_counts(use_case(fold_counts.BATCH_ENTRIES))() == 0
    assert fold_task_counts(use_case(fold_counts.BATCH_ENTRIES - 1))() == inf
    assert create_recurring_tasks(use_case(TickResult([], 7.5)))() == 7.5
