"""The chores of a janitor: each on a loop of its own, with rests between its batches."""

import logging
import random
import select
from collections.abc import Callable, Sequence
from math import inf
from threading import Event, Thread
from typing import Any

import pytest

from application.errors import StorageConflict, StorageUnavailable
from application.log_lines import KEYS_OF_RECORD, MAX_EXPIRY_LINES
from application.ports.cleaning import DeletedTasks
from application.ports.monitoring import JANITOR_SILENCE
from application.use_cases import fold_counts, forget_types, settle_lost
from application.use_cases.rescue import Rescue
from application.use_cases.tick import TickResult
from domain.ids import TaskId, TypeName
from domain.traceparent import Traceparent
from entrypoints.janitor import janitor as janitor_process
from entrypoints.janitor.chore_loops import MAX_RETRY_SECONDS, ChoreLoops
from entrypoints.janitor.chores import (
    LONG_REST_SECONDS,
    LONGEST_REST_SECONDS,
    USUAL_REST_SECONDS,
    Chore,
    create_recurring_tasks,
    delete_expired_tasks,
    fold_task_counts,
    forget_abandoned_types,
    forget_dead_handlers,
    renew_record,
    rescue_from_dead,
    rescue_lapsed,
)
from tests import steps
from tests.unit.memory_service import Service


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[float]]:
    """The rests after batches of a chore that answers or raises these, one after the other."""

    def rests_after(*answers: float | Exception, rest: float = USUAL_REST_SECONDS) -> list[float]:
        waits: list[float] = []
        left = list(answers)

        def batch() -> float:
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
        loops = ChoreLoops({"chore": Chore(batch, rest)})
        monkeypatch.setattr(select, "select", wait)
        monkeypatch.setattr(random, "uniform", lambda low, high: 1.0)
        loops.run()
        return waits[1:]

    return rests_after


def test_a_chore_rests_a_second_where_no_more_work_is_known(rests: Callable[..., list[float]]):
    assert rests(inf, inf) == [USUAL_REST_SECONDS, USUAL_REST_SECONDS]


def test_a_chore_does_not_rest_while_there_is_more_work(rests: Callable[..., list[float]]):
    assert rests(0, inf) == [0, USUAL_REST_SECONDS]


def test_rests_grow_while_a_chore_fails_for_any_reason(rests: Callable[..., list[float]]):
    assert rests(ValueError("odd"), KeyError("odd"), inf) == [2, 4, USUAL_REST_SECONDS]


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

    loops = ChoreLoops({"failing": Chore(fail, 0.01), "hanging": Chore(hang), "working": Chore(work)})
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

    def batch() -> float:
        done.append("cleans")
        loops.stop()
        return 0

    loops = ChoreLoops({"cleaning": Chore(batch)})
    loops.run()
    assert done == ["cleans"]


def test_it_is_known_when_each_chore_last_succeeded():
    def fail() -> float:
        raise StorageUnavailable

    def work() -> float:
        loops.stop()
        return inf

    loops = ChoreLoops({"failing": Chore(fail), "working": Chore(work)})
    assert loops.seconds_since("working") == inf
    loops.run()
    assert 0 <= loops.seconds_since("working") < 20
    assert loops.seconds_since("failing") == inf


def test_a_rest_ends_at_the_next_tick(rests: Callable[..., list[float]]):
    assert rests(0.3, 5.0) == [0.3, USUAL_REST_SECONDS]


def test_rests_grow_during_an_outage(rests: Callable[..., list[float]]):
    away = [StorageUnavailable() for _ in range(5)]
    assert rests(*away, inf) == [2, 4, 8, MAX_RETRY_SECONDS, MAX_RETRY_SECONDS, USUAL_REST_SECONDS]


def test_the_loop_of_a_chore_for_which_nothing_waits_sleeps_until_that_is_due(rests: Callable[..., list[float]]):
    assert rests(inf, 0, inf, rest=7) == [7, 0, 7]


def test_a_chore_that_fails_is_soon_tried_again_however_long_its_rests_are(rests: Callable[..., list[float]]):
    assert rests(ValueError("odd"), StorageUnavailable(), inf, rest=7) == [2, 4, 7]


def test_rests_grow_anew_after_a_batch_that_has_not_failed(rests: Callable[..., list[float]]):
    assert rests(ValueError("odd"), KeyError("odd"), inf, ValueError("odd"), inf) == [2, 4, 1, 2, 1]


def test_a_chore_with_shorter_rests_is_tried_again_sooner(rests: Callable[..., list[float]]):
    assert rests(inf, StorageUnavailable(), inf, rest=0.25) == [0.25, 0.5, 0.25]


@pytest.mark.parametrize("lease", [1, 4, 30, 3600])
def test_a_janitor_looks_for_leases_four_times_in_a_lease_and_every_second_while_there_is_one(lease: float):
    service = Service()
    rescue = Rescue(service.begin, service.autocommit, service.clock, service, lease)
    chore = rescue_lapsed(rescue, lease)
    assert chore.rest * 1.25 <= lease / 4
    assert chore.batch() == inf
    steps.add(service.storage, steps.submission())
    steps.claim(service.storage, 1, lease=lease)
    assert chore.batch() == min(1, lease / 4)
    service.errors.append(StorageConflict())
    assert chore.batch() == min(1, lease / 4)


def test_the_record_of_a_janitor_is_renewed_before_it_seems_silent_though_one_renewal_fails():
    assert JANITOR_SILENCE.total_seconds() > 1.25 * (renew_record(use_case(None)).rest + MAX_RETRY_SECONDS)


def test_chores_for_which_nothing_waits_have_long_rests():
    assert fold_task_counts(use_case(0), use_case(0)).rest == LONG_REST_SECONDS
    assert forget_dead_handlers(use_case(0)).rest == LONGEST_REST_SECONDS
    assert forget_abandoned_types(use_case([])).rest == LONGEST_REST_SECONDS


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
    trace = Traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    delete_expired_tasks(use_case(DeletedTasks(8, unrun, {TaskId(9): trace}))).batch()
    assert [getattr(each, KEYS_OF_RECORD) for each in caplog.records[-2:]] == [
        {"task": 7, "type": "fetch"},
        {"task": 9, "type": "mov3d", "trace": trace[3:35]},
    ]
    assert caplog.messages[-2:] == [
        "task 7 (fetch) expired before it ran, and is deleted",
        "task 9 (mov3d) expired before it ran, and is deleted",
    ]


def test_cleaning_logs_no_more_lines_than_can_be_written(caplog: pytest.LogCaptureFixture):
    unrun = {TaskId(id): TypeName("fetch") for id in range(MAX_EXPIRY_LINES + 3)}
    delete_expired_tasks(use_case(DeletedTasks(len(unrun), unrun))).batch()
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert len(warnings) == MAX_EXPIRY_LINES + 1
    assert warnings[-1] == "3 more tasks expired before they ran, and are deleted"


def test_a_chore_has_more_work_after_a_full_batch():
    assert delete_expired_tasks(use_case(DeletedTasks(8, is_full=True))).batch() == 0
    assert delete_expired_tasks(use_case(DeletedTasks(8, {TaskId(1): TypeName("add")}))).batch() == inf
    assert forget_dead_handlers(use_case(3)).batch() == inf
    assert renew_record(use_case(None)).batch() == inf
    assert forget_abandoned_types(use_case(["old"] * forget_types.BATCH_TYPES)).batch() == 0
    assert forget_abandoned_types(use_case(["old"])).batch() == inf
    assert rescue_from_dead(use_case([None] * settle_lost.BATCH_TASKS)).batch() == 0
    assert rescue_from_dead(use_case([None])).batch() == inf
    assert rescue_lapsed(use_case([None] * settle_lost.BATCH_TASKS), 30).batch() == 0
    full, not_full = fold_counts.BATCH_ENTRIES, fold_counts.BATCH_ENTRIES - 1
    assert fold_task_counts(use_case(full), use_case(0)).batch() == 0
    assert fold_task_counts(use_case(0), use_case(full)).batch() == 0
    assert fold_task_counts(use_case(not_full), use_case(not_full)).batch() == inf
    assert create_recurring_tasks(use_case(TickResult([], 7.5))).batch() == 7.5
