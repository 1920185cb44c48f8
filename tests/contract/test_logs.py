"""Logs: the output of starts is stored with their task."""

from dataclasses import replace

import pytest

from application.ports.task_repository import MAX_ATTEMPTS_SHOWN
from application.ports.unit_of_work import Begin
from domain.failure import Failure
from domain.ids import Claim, TaskId
from domain.settlement import Attempt, LateLog, Outcome, Settlement
from domain.task import Task
from tests.steps import BOOM, NOW, PLAIN, add, add_one, at, claim, claim_one, save, settle, submission, task

ODD = "nul \0 % ' \\ \x1b[31m 😀 \ufffd\n"


def records(begin: Begin, id: int = 1) -> list[Attempt]:
    with begin() as work:
        return list(work.tasks.attempts(TaskId(id)))


def logs(begin: Begin, id: int = 1) -> list[tuple[Outcome, str]]:
    return [(record.outcome, record.log) for record in records(begin, id)]


def tell(begin: Begin, *late_logs: LateLog) -> None:
    with begin() as work:
        work.queue.record_late_logs(late_logs)
        work.commit()


def running(begin: Begin, **how: object) -> Task:
    """The only task, claimed and started."""
    return claim_one(begin, **how).reported(at(0.5), None)


class TestSettling:
    def test_a_success_that_printed_is_on_record(self, begin: Begin):
        add_one(begin)
        started = running(begin)
        settle(begin, Settlement.succeeded(started, at(1), "1", ODD))
        assert records(begin) == [
            Attempt(claim=Claim(1), attempt=1, outcome=Outcome.DONE, started=at(0.5), ended=at(1), log=ODD)
        ]

    def test_a_success_that_printed_nothing_is_not_on_record(self, begin: Begin):
        add_one(begin)
        settle(begin, Settlement.succeeded(running(begin), at(1), "1"))
        assert records(begin) == []

    def test_a_failure_has_its_log_beside_its_traceback(self, begin: Begin):
        add_one(begin)
        settle(begin, Settlement.failed(running(begin), at(1), BOOM, PLAIN, 0, ODD))
        (record,) = records(begin)
        assert (record.error, record.traceback, record.log) == ("ValueError: boom", BOOM.traceback, ODD)

    def test_a_lost_start_has_its_log(self, begin: Begin):
        add_one(begin)
        settle(begin, Settlement.lost(running(begin), at(1), ODD))
        assert logs(begin) == [(Outcome.LOST, ODD)]

    @pytest.mark.parametrize("kind", [Outcome.DONE, Outcome.FAILED, Outcome.LOST])
    def test_a_settlement_that_is_repeated_leaves_one_record(self, begin: Begin, kind: Outcome):
        add_one(begin, max_attempts=2)
        started = running(begin)
        settlement = {
            Outcome.DONE: lambda: Settlement.succeeded(started, at(1), "1", ODD),
            Outcome.FAILED: lambda: Settlement.failed(started, at(1), BOOM, PLAIN, 0, ODD),
            Outcome.LOST: lambda: Settlement.lost(started, at(1), ODD),
        }[kind]()
        for _ in range(2):
            assert list(settle(begin, settlement)) == []
            assert records(begin) == [settlement.attempt]

    def test_a_refused_settlement_leaves_no_record(self, begin: Begin):
        add_one(begin)
        started = running(begin)
        save(begin, started.cancel(at(1)))
        assert list(settle(begin, Settlement.succeeded(started, at(2), "1", "late"))) == [1]
        assert records(begin) == []

    def test_only_the_last_starts_are_shown(self, begin: Begin):
        add_one(begin, max_attempts=MAX_ATTEMPTS_SHOWN + 5)
        for n in range(1, MAX_ATTEMPTS_SHOWN + 4):
            started = running(begin, now=at(n))
            settle(begin, Settlement.failed(started, at(n), Failure("E", "e", delay=0), PLAIN, 0, str(n)))
        assert [log for _, log in logs(begin)] == [str(n) for n in range(4, MAX_ATTEMPTS_SHOWN + 4)]


class TestLateLogs:
    def test_a_start_that_was_cancelled_has_what_it_had_printed(self, begin: Begin):
        add_one(begin)
        started = running(begin)
        save(begin, started.cancel(at(1)))
        before = task(begin, 1)
        tell(begin, LateLog.of(started, at(2), ODD))
        assert records(begin) == [
            Attempt(claim=Claim(1), attempt=1, outcome=Outcome.CANCELLED, started=at(0.5), ended=at(2), log=ODD)
        ]
        assert task(begin, 1) == before

    def test_a_start_that_was_taken_away_unrecorded_was_lost(self, begin: Begin):
        add_one(begin)
        started = running(begin)
        save(begin, started.release(at(1)))
        tell(begin, LateLog.of(started, at(2), "x"))
        assert logs(begin) == [(Outcome.LOST, "x")]

    def test_a_start_before_the_one_that_was_cancelled_was_lost(self, begin: Begin):
        add_one(begin)
        started = running(begin)
        save(begin, started.release(at(1)))
        save(begin, running(begin).cancel(at(2)))
        tell(begin, LateLog.of(started, at(2), "x"))
        assert logs(begin) == [(Outcome.LOST, "x")]

    def test_a_record_that_is_there_keeps_all_but_its_log(self, begin: Begin):
        add_one(begin)
        started = running(begin)
        lost = Settlement.lost(started, at(31))
        settle(begin, lost)
        tell(begin, LateLog.of(started, at(40), "x"))
        assert lost.attempt
        assert records(begin) == [replace(lost.attempt, log="x")]

    def test_a_late_log_may_be_repeated(self, begin: Begin):
        add_one(begin)
        started = running(begin)
        save(begin, started.cancel(at(1)))
        for _ in range(2):
            tell(begin, LateLog.of(started, at(2), "x"))
            assert logs(begin) == [(Outcome.CANCELLED, "x")]

    def test_the_late_log_of_a_deleted_task_is_dropped_and_the_others_are_stored(self, begin: Begin):
        add(begin, *[submission()] * 3)
        starts = [claimed.task.reported(NOW, None) for claimed in claim(begin)]
        for start in starts:
            save(begin, start.cancel(NOW))
        with begin() as work:
            work.tasks.lock(TaskId(2))
            work.tasks.remove(TaskId(2))
            work.commit()
        tell(begin, *(LateLog.of(start, at(1), f"of {start.id}") for start in reversed(starts)))
        assert [logs(begin, id) for id in (1, 2, 3)] == [
            [(Outcome.CANCELLED, "of 1")],
            [],
            [(Outcome.CANCELLED, "of 3")],
        ]

    def test_two_starts_of_one_task_are_told_apart(self, begin: Begin):
        add_one(begin)
        first = running(begin)
        save(begin, first.release(at(1)))
        second = running(begin)
        save(begin, second.cancel(at(1)))
        tell(begin, LateLog.of(second, at(2), "second"), LateLog.of(first, at(2), "first"))
        assert logs(begin) == [(Outcome.LOST, "first"), (Outcome.CANCELLED, "second")]

    def test_recording_no_late_logs_is_no_error(self, begin: Begin):
        tell(begin)

    def test_late_logs_are_deleted_with_their_task(self, begin: Begin):
        add_one(begin)
        started = running(begin)
        save(begin, started.cancel(at(1)))
        tell(begin, LateLog.of(started, at(2), "x"))
        with begin() as work:
            work.cleaning.delete_expired(at(10**6), 10)
            work.commit()
        assert records(begin) == []
