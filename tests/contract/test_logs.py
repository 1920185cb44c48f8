"""Logs: the output of starts is stored with their task."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from application.ports.task_repository import MAX_ATTEMPTS_SHOWN
from domain.failure import Failure
from domain.ids import Claim, HandlerId, TaskId
from domain.lease import Lease
from domain.settlement import Attempt, LateLog, Outcome, Settlement
from domain.task import Task
from tests.steps import BOOM, NOW, PLAIN, add, add_one, at, claim, claim_one, save, settle, submission, task
from tests.storage import Storage

ODD = "nul \0 % ' \\ \x1b[31m 😀 \ufffd\n"


def records(storage: Storage, id: int = 1) -> list[Attempt]:
    with storage.begin() as work:
        return list(work.tasks.attempts(TaskId(id)))


def logs(storage: Storage, id: int = 1) -> list[tuple[Outcome, str]]:
    return [(record.outcome, record.log) for record in records(storage, id)]


def tell(storage: Storage, *late_logs: LateLog) -> None:
    with storage.begin() as work:
        work.queue.record_late_logs(late_logs)
        work.commit()


def running(storage: Storage, **how: object) -> Task:
    """The only task, claimed and started."""
    return claim_one(storage, **how).reported(at(0.5), None)


class TestSettling:
    def test_a_success_that_printed_is_on_record(self, storage: Storage):
        add_one(storage)
        started = running(storage)
        settle(storage, Settlement.succeeded(started, at(1), "1", ODD))
        assert records(storage) == [
            Attempt(claim=Claim(1), attempt=1, outcome=Outcome.DONE, started=at(0.5), ended=at(1), log=ODD)
        ]

    def test_a_success_that_printed_nothing_is_not_on_record(self, storage: Storage):
        add_one(storage)
        settle(storage, Settlement.succeeded(running(storage), at(1), "1"))
        assert records(storage) == []

    def test_a_failure_has_its_log_beside_its_traceback(self, storage: Storage):
        add_one(storage)
        settle(storage, Settlement.failed(running(storage), at(1), BOOM, PLAIN, 0, ODD))
        (record,) = records(storage)
        assert (record.error, record.traceback, record.log) == ("ValueError: boom", BOOM.traceback, ODD)

    def test_a_lost_start_has_its_log(self, storage: Storage):
        add_one(storage)
        settle(storage, Settlement.lost(running(storage), at(1), ODD))
        assert logs(storage) == [(Outcome.LOST, ODD)]

    @pytest.mark.parametrize("kind", [Outcome.DONE, Outcome.FAILED, Outcome.LOST])
    def test_a_settlement_that_is_repeated_leaves_one_record(self, storage: Storage, kind: Outcome):
        add_one(storage, max_attempts=2)
        started = running(storage)
        settlement = {
            Outcome.DONE: lambda: Settlement.succeeded(started, at(1), "1", ODD),
            Outcome.FAILED: lambda: Settlement.failed(started, at(1), BOOM, PLAIN, 0, ODD),
            Outcome.LOST: lambda: Settlement.lost(started, at(1), ODD),
        }[kind]()
        for _ in range(2):
            assert list(settle(storage, settlement)) == []
            assert records(storage) == [settlement.attempt]

    def test_a_refused_settlement_leaves_no_record(self, storage: Storage):
        add_one(storage)
        started = running(storage)
        save(storage, started.cancel(at(1)))
        assert list(settle(storage, Settlement.succeeded(started, at(2), "1", "late"))) == [1]
        assert records(storage) == []

    def test_only_the_last_starts_are_shown(self, storage: Storage):
        add_one(storage, max_attempts=MAX_ATTEMPTS_SHOWN + 5)
        for n in range(1, MAX_ATTEMPTS_SHOWN + 4):
            started = running(storage, now=at(n))
            settle(storage, Settlement.failed(started, at(n), Failure("E", "e", delay=0), PLAIN, 0, str(n)))
        assert [log for _, log in logs(storage)] == [str(n) for n in range(4, MAX_ATTEMPTS_SHOWN + 4)]


SETTLEMENTS: dict[str, Callable[[Task], Settlement]] = {
    "done": lambda started: Settlement.succeeded(started, at(1), "1", "printed"),
    "done and silent": lambda started: Settlement.succeeded(started, at(1), "1"),
    "failed": lambda started: Settlement.failed(started, at(1), BOOM, PLAIN, 0, "printed"),
    "failed and silent": lambda started: Settlement.failed(started, at(1), BOOM, PLAIN, 0),
    "lost": lambda started: Settlement.lost(started, at(1), "printed"),
}


class TestLateLogs:
    def test_a_cancelled_start_has_its_log(self, storage: Storage):
        add_one(storage)
        started = running(storage)
        save(storage, started.cancel(at(1)))
        before = task(storage, 1)
        tell(storage, LateLog.of(started, at(2), ODD))
        assert records(storage) == [
            Attempt(claim=Claim(1), attempt=1, outcome=Outcome.CANCELLED, started=at(0.5), ended=at(2), log=ODD)
        ]
        assert task(storage, 1) == before

    def test_a_start_that_was_taken_away_unrecorded_was_lost(self, storage: Storage):
        add_one(storage)
        started = running(storage)
        save(storage, started.release(at(1)))
        tell(storage, LateLog.of(started, at(2), "x"))
        assert logs(storage) == [(Outcome.LOST, "x")]

    def test_a_start_before_the_one_that_was_cancelled_was_lost(self, storage: Storage):
        add_one(storage)
        started = running(storage)
        save(storage, started.release(at(1)))
        save(storage, running(storage).cancel(at(2)))
        tell(storage, LateLog.of(started, at(2), "x"))
        assert logs(storage) == [(Outcome.LOST, "x")]

    def test_an_existing_record_keeps_all_but_its_log(self, storage: Storage):
        add_one(storage)
        started = running(storage)
        lost = Settlement.lost(started, at(31))
        settle(storage, lost)
        tell(storage, LateLog.of(started, at(40), "x"))
        assert lost.attempt
        assert records(storage) == [replace(lost.attempt, log="x")]

    def test_a_late_log_may_be_repeated(self, storage: Storage):
        add_one(storage)
        started = running(storage)
        save(storage, started.cancel(at(1)))
        for _ in range(2):
            tell(storage, LateLog.of(started, at(2), "x"))
            assert logs(storage) == [(Outcome.CANCELLED, "x")]

    def test_the_late_log_of_a_deleted_task_is_dropped_and_the_others_are_kept(self, storage: Storage):
        add(storage, *[submission()] * 3)
        starts = [claimed.task.reported(NOW, None) for claimed in claim(storage)]
        for start in starts:
            save(storage, start.cancel(NOW))
        with storage.begin() as work:
            work.tasks.lock(TaskId(2))
            work.tasks.remove(TaskId(2))
            work.commit()
        tell(storage, *(LateLog.of(start, at(1), f"of {start.id}") for start in reversed(starts)))
        assert [logs(storage, id) for id in (1, 2, 3)] == [
            [(Outcome.CANCELLED, "of 1")],
            [],
            [(Outcome.CANCELLED, "of 3")],
        ]

    def test_late_logs_of_two_starts_of_one_task_are_told_apart(self, storage: Storage):
        add_one(storage)
        first = running(storage)
        save(storage, first.release(at(1)))
        second = running(storage)
        save(storage, second.cancel(at(1)))
        tell(storage, LateLog.of(second, at(2), "second"), LateLog.of(first, at(2), "first"))
        assert logs(storage) == [(Outcome.LOST, "first"), (Outcome.CANCELLED, "second")]

    def test_the_late_log_of_an_equal_claim_does_not_touch_the_start_of_another_handler(self, storage: Storage):
        add_one(storage)
        started = running(storage)
        lost = replace(started, lease=Lease(HandlerId("lost-handler"), at(30)))
        tell(storage, LateLog.of(lost, at(1), "lost"))
        assert records(storage) == []
        tell(storage, LateLog.of(started, at(1), "x"))
        tell(storage, LateLog.of(lost, at(1), "lost"))
        assert logs(storage) == [(Outcome.LOST, "x")]

    @pytest.mark.parametrize("settlement", SETTLEMENTS.values(), ids=SETTLEMENTS)
    def test_the_late_log_of_an_equal_claim_does_not_touch_a_start_that_was_settled(
        self, storage: Storage, settlement: Callable[[Task], Settlement]
    ):
        """A failover has lost the first claim, and another handler had the same one."""
        add_one(storage, max_attempts=2)
        started = running(storage)
        settle(storage, settlement(started))
        before = records(storage)
        lost = replace(started, lease=Lease(HandlerId("lost-handler"), at(30)))
        tell(storage, LateLog.of(lost, at(2), "lost"))
        assert records(storage) == before

    def test_the_late_log_of_an_equal_claim_does_not_replace_a_late_log(self, storage: Storage):
        add_one(storage)
        started = running(storage)
        save(storage, started.cancel(at(1)))
        tell(storage, LateLog.of(started, at(2), "x"))
        lost = replace(started, lease=Lease(HandlerId("lost-handler"), at(30)))
        tell(storage, LateLog.of(lost, at(3), "lost"))
        assert logs(storage) == [(Outcome.CANCELLED, "x")]

    def test_the_late_log_of_an_earlier_task_with_the_same_id_is_dropped(self, storage: Storage):
        add_one(storage)
        started = running(storage)
        settle(storage, Settlement.succeeded(started, at(1), "1", "printed"))
        tell(storage, LateLog.of(replace(started, created=at(-100)), at(2), "lost"))
        assert logs(storage) == [(Outcome.DONE, "printed")]

    def test_recording_no_late_logs_is_no_error(self, storage: Storage):
        tell(storage)

    def test_late_logs_are_deleted_with_their_task(self, storage: Storage):
        add_one(storage)
        started = running(storage)
        save(storage, started.cancel(at(1)))
        tell(storage, LateLog.of(started, at(2), "x"))
        with storage.begin() as work:
            work.cleaning.delete_expired(at(10**6), 10)
            work.commit()
        assert records(storage) == []
