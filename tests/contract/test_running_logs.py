"""Logs of runs that go on: what they have printed so far is stored, until their end replaces it."""

from dataclasses import replace

import pytest

from domain.ids import HandlerId, TaskId
from domain.lease import Lease
from domain.settlement import Attempt, LateLog, Outcome, RunningLog, Settlement
from domain.task import Task
from tests.contract.test_logs import ODD, logs, records, running, tell
from tests.steps import (
    BOOM,
    HANDLER,
    PLAIN,
    add,
    add_one,
    at,
    claim,
    rescue,
    save,
    settle,
    stored,
    submission,
    take_back,
    task,
)
from tests.storage import Storage


def store(storage: Storage, *running: Task, log: str = "so far", now: float = 2) -> None:
    assert list(storage.autocommit.report_logs([RunningLog.of(each, at(now), log) for each in running])) == []


@pytest.fixture
def started(storage: Storage) -> Task:
    """The only task, which runs and may be tried again."""
    add_one(storage, max_attempts=2)
    return running(storage)


def test_a_running_start_is_on_record_with_its_output_so_far(storage: Storage, started: Task):
    store(storage, started, log=ODD)
    assert records(storage) == [
        Attempt(claim=started.hold.claim, attempt=1, outcome=Outcome.RUNNING, started=at(0.5), ended=at(2), log=ODD)
    ]


def test_a_newer_log_replaces_the_one_before(storage: Storage, started: Task):
    for nth, log in enumerate(("first\n", "first\nsecond\n", "")):
        store(storage, started, log=log, now=nth)
        (record,) = records(storage)
        assert (record.outcome, record.ended, record.log) == (Outcome.RUNNING, at(nth), log)


def test_storing_a_log_changes_the_version_and_nothing_of_the_task(storage: Storage, started: Task):
    before = stored(storage, 1)
    store(storage, started)
    after = stored(storage, 1)
    assert after == replace(before, printed=at(2))
    assert before.printed is None
    assert after.version != before.version
    assert storage.autocommit.versions([started.id]) == {started.id: after.version}
    store(storage, started, now=3)
    assert stored(storage, 1).version != after.version


@pytest.mark.parametrize("max_bytes", [0, 10**6])
def test_every_record_of_a_task_says_when_it_has_printed(storage: Storage, started: Task, max_bytes: int):
    store(storage, started)
    assert storage.autocommit.get_many([started.id], max_bytes)[started.id].printed == at(2)
    with storage.begin() as work:
        assert (record := work.tasks.get(started.id, max_bytes))
    assert record.printed == at(2)


def test_logs_of_several_tasks_are_stored_together(storage: Storage):
    add(storage, *[submission()] * 3)
    starts = [each.task for each in claim(storage)]
    store(storage, *reversed(starts))
    assert [logs(storage, id) for id in (1, 2, 3)] == [[(Outcome.RUNNING, "so far")]] * 3


def test_storing_no_logs_is_no_error(storage: Storage):
    store(storage)


# Runs that are not held


def test_the_log_of_a_lost_run_is_dropped_and_those_of_its_neighbours_are_stored(storage: Storage):
    add(storage, *[submission(max_losses=3)] * 4)
    lost, cancelled, deleted, held = (each.task for each in claim(storage))
    save(storage, lost.release(at(1)))
    save(storage, cancelled.cancel(at(1)))
    save(storage, deleted.cancel(at(1)))
    with storage.begin() as work:
        work.tasks.lock(deleted.id)
        work.tasks.remove(deleted.id)
        work.commit()
    store(storage, lost, cancelled, deleted, held)
    assert [logs(storage, id) for id in (1, 2, 3, 4)] == [[], [], [], [(Outcome.RUNNING, "so far")]]
    assert stored(storage, 1).printed is None


def test_the_log_of_an_earlier_claim_is_dropped(storage: Storage, started: Task):
    save(storage, started.release(at(1)))
    running(storage)
    store(storage, started)
    assert records(storage) == []


def test_the_log_of_another_handler_with_the_same_claim_is_dropped(storage: Storage, started: Task):
    store(storage, replace(started, lease=Lease(HandlerId("lost-handler"), at(30))))
    assert records(storage) == []
    assert stored(storage, 1).printed is None


def test_a_log_that_comes_after_the_outcome_is_dropped(storage: Storage, started: Task):
    settle(storage, Settlement.failed(started, at(1), BOOM, PLAIN, 0, "the whole"))
    store(storage, started)
    assert logs(storage) == [(Outcome.FAILED, "the whole")]


# Ends


@pytest.mark.parametrize("kind", [Outcome.DONE, Outcome.FAILED, Outcome.LOST])
def test_the_record_of_the_end_replaces_that_of_the_running_start(storage: Storage, started: Task, kind: Outcome):
    settlement = {
        Outcome.DONE: lambda: Settlement.succeeded(started, at(5), "1", "the whole"),
        Outcome.FAILED: lambda: Settlement.failed(started, at(5), BOOM, PLAIN, 0, "the whole"),
        Outcome.LOST: lambda: Settlement.lost(started, at(5), "the whole"),
    }[kind]()
    store(storage, started)
    for _ in range(2):
        assert list(settle(storage, settlement)) == []
        assert records(storage) == [settlement.attempt]


def test_a_failure_without_output_keeps_none(storage: Storage, started: Task):
    """A program has truncated the log."""
    store(storage, started)
    settle(storage, Settlement.failed(started, at(5), BOOM, PLAIN, 0))
    assert logs(storage) == [(Outcome.FAILED, "")]


@pytest.mark.parametrize("by", ["lease", "process"])
def test_a_start_whose_handler_was_lost_keeps_what_was_stored(storage: Storage, started: Task, by: str):
    store(storage, started, log=ODD)
    rescue(storage, at(31)) if by == "lease" else take_back(storage, HANDLER, at(31))
    (record,) = records(storage)
    assert (record.outcome, record.log, record.ended) == (Outcome.LOST, ODD, at(31))
    assert record.error == "handler handler-1 was lost"


def test_the_late_log_of_a_handler_that_was_only_cut_off_replaces_what_it_had_stored(storage: Storage, started: Task):
    store(storage, started)
    rescue(storage, at(31))
    for _ in range(2):
        tell(storage, LateLog.of(started, at(40), "the whole"))
        (record,) = records(storage)
        assert (record.outcome, record.log, record.ended) == (Outcome.LOST, "the whole", at(31))


def test_the_late_log_of_another_handler_does_not_replace_what_was_stored(storage: Storage, started: Task):
    """A failover has lost its claim, which was given again."""
    store(storage, started)
    rescue(storage, at(31))
    tell(storage, LateLog.of(replace(started, lease=Lease(HandlerId("lost-handler"), at(30))), at(40), "lost"))
    assert logs(storage) == [(Outcome.LOST, "so far")]


def test_a_cancelled_start_shows_what_was_stored_until_its_late_log_comes(storage: Storage, started: Task):
    store(storage, started)
    save(storage, started.cancel(at(5)))
    (record,) = records(storage)
    assert (record.outcome, record.ended, record.log) == (Outcome.CANCELLED, at(5), "so far")
    tell(storage, LateLog.of(started, at(6), "the whole"))
    (record,) = records(storage)
    assert (record.outcome, record.ended, record.log) == (Outcome.CANCELLED, at(6), "the whole")


def test_a_start_that_was_taken_away_unrecorded_was_lost(storage: Storage, started: Task):
    store(storage, started)
    save(storage, started.release(at(5)))
    (lost,) = records(storage)
    assert (lost.outcome, lost.ended, lost.log) == (Outcome.LOST, at(2), "so far")
    store(storage, running(storage), log="again")
    assert records(storage) == [lost, replace(records(storage)[1], outcome=Outcome.RUNNING, log="again")]
    tell(storage, LateLog.of(started, at(6), "the whole"))
    assert logs(storage) == [(Outcome.LOST, "the whole"), (Outcome.RUNNING, "again")]


def test_a_success_without_output_ends_the_record_of_its_start(storage: Storage, started: Task):
    """A program has truncated the log."""
    store(storage, started)
    settle(storage, Settlement.succeeded(started, at(5), "1"))
    (record,) = records(storage)
    assert (record.outcome, record.ended, record.log) == (Outcome.DONE, at(5), "so far")


def test_a_task_that_is_set_aside_ends_the_record_of_its_start(storage: Storage, started: Task):
    store(storage, started)
    settle(storage, Settlement.set_aside(started, at(5), "the database refuses it"))
    (record,) = records(storage)
    assert (record.outcome, record.ended) == (Outcome.FAILED, at(5))


def test_each_start_of_a_task_has_its_own_record(storage: Storage, started: Task):
    store(storage, started, log="first")
    settle(storage, Settlement.failed(started, at(5), BOOM, replace(PLAIN, first=0), 0, "first, whole"))
    store(storage, running(storage, now=at(6)), log="second")
    assert logs(storage) == [(Outcome.FAILED, "first, whole"), (Outcome.RUNNING, "second")]


def test_a_running_log_is_deleted_with_its_task(storage: Storage, started: Task):
    store(storage, started)
    save(storage, started.cancel(at(1)))
    with storage.begin() as work:
        work.cleaning.delete_expired(at(10**6), 10)
        work.commit()
    assert records(storage) == []
    assert TaskId(1) not in storage.autocommit.versions([TaskId(1)])


def test_a_running_log_stays_while_leases_and_progress_are_written(storage: Storage, started: Task):
    store(storage, started)
    lease = Lease.granted(HANDLER, at(10), 30)
    storage.autocommit.renew([started.hold], lease)
    assert task(storage, 1).lease == lease
    assert logs(storage) == [(Outcome.RUNNING, "so far")]
    assert stored(storage, 1).printed == at(2)


def test_a_start_whose_end_is_on_record_keeps_that_record(storage: Storage, started: Task):
    """A failover has lost its claim, which was given again."""
    tell(storage, LateLog.of(started, at(1), "of another start"))
    store(storage, started)
    assert logs(storage) == [(Outcome.LOST, "of another start")]
