"""Statistics: each transition is counted as the events that it makes, with the buckets of its durations."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from application.ports.queue import ProgressReport
from application.ports.statistics import MINUTE, EventCount, EventTotals
from domain.event import Event
from domain.failure import Failure
from domain.histogram import bucket_of
from domain.ids import TypeName
from domain.settlement import Settlement
from domain.task import Task
from tests.steps import (
    ADD,
    HANDLER,
    add,
    add_one,
    at,
    claim,
    claim_one,
    fail,
    renew,
    report,
    rescue,
    save,
    settle,
    submission,
    succeed,
    take_back,
    task,
)
from tests.storage import Storage

Seen = Mapping[Event, Mapping[int | None, int]]
HOUR = timedelta(hours=1)


def real_time() -> datetime:
    """The time by which the storages count events, to the minute."""
    return datetime.now(UTC).replace(second=0, microsecond=0)


def seen(storage: Storage, type: TypeName = ADD) -> Seen:
    """The events of a type by bucket; None has those without a duration."""
    now = real_time()
    with storage.begin() as work:
        counts = work.statistics.counts(now - HOUR, now + HOUR, 2 * HOUR, type)
    assert all((of, step) == (type, 0) for of, step, _ in counts)
    return {event: by_bucket(count) for (_, _, event), count in counts.items()}


def by_bucket(count: EventCount) -> Mapping[int | None, int]:
    without = count.number - sum(count.buckets.values())
    found: dict[int | None, int] = {None: without} if without else {}
    return found | dict(count.buckets.items())


class Events:
    """The events of one type that have come since the last look."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._before: Counter[tuple[Event, int | None]] = Counter()

    def new(self) -> Mapping[tuple[Event, int | None], int]:
        now = Counter(
            {(event, bucket): number for event, of in seen(self._storage).items() for bucket, number in of.items()}
        )
        assert not self._before - now
        new, self._before = now - self._before, now
        return dict(new)


@pytest.fixture
def events(storage: Storage) -> Events:
    return Events(storage)


@pytest.fixture
def started(storage: Storage, events: Events) -> Task:
    """A task whose start was counted."""
    add_one(storage, max_attempts=2)
    running = claim_one(storage)
    events.new()
    return running


@pytest.fixture
def claimed(storage: Storage, events: Events) -> Task:
    """A task that was claimed ahead, and is not known to have started."""
    add_one(storage, max_attempts=2)
    running = claim_one(storage, starting=0)
    events.new()
    return running


def test_each_submission_is_counted(storage: Storage, events: Events):
    add(storage, *[submission()] * 3, submission("sub"))
    assert events.new() == {(Event.SUBMITTED, None): 3}
    assert seen(storage, TypeName("sub")) == {Event.SUBMITTED: {None: 1}}


def test_a_claim_that_starts_at_once_is_a_start_with_its_wait_time(storage: Storage, events: Events):
    add(storage, *[submission()] * 2, submission(run_at=at(57)))
    events.new()
    claim(storage, now=at(60))
    assert events.new() == {(Event.STARTED, bucket_of(60)): 2, (Event.STARTED, bucket_of(3)): 1}


def test_a_claim_ahead_is_no_event(storage: Storage, events: Events):
    add_one(storage)
    events.new()
    claim_one(storage, starting=0)
    assert events.new() == {}


def test_a_report_of_a_start_is_counted_once(storage: Storage, events: Events, claimed: Task):
    for moment in (at(5), at(6)):
        report(storage, ProgressReport(claimed.hold, moment))
    assert events.new() == {(Event.STARTED, bucket_of(5)): 1}


def test_a_renewal_is_no_event(storage: Storage, events: Events, started: Task):
    renew(storage, [started.hold], at(10))
    assert events.new() == {}


def test_a_success_is_counted_with_its_run_time(storage: Storage, events: Events, started: Task):
    succeed(storage, started, at(7))
    assert events.new() == {(Event.DONE, bucket_of(7)): 1}


def test_a_settlement_that_brings_the_start_counts_both(storage: Storage, events: Events, claimed: Task):
    succeed(storage, claimed.reported(at(3), None), at(10))
    assert events.new() == {(Event.STARTED, bucket_of(3)): 1, (Event.DONE, bucket_of(7)): 1}


def test_a_settlement_that_is_refused_is_no_event(storage: Storage, events: Events, started: Task):
    succeed(storage, started, at(7))
    events.new()
    succeed(storage, started, at(7))
    succeed(storage, started, at(8))
    assert events.new() == {}


def test_many_outcomes_of_one_statement_are_counted_apart(storage: Storage, events: Events):
    add(storage, *[submission()] * 5)
    held = [each.task for each in claim(storage)]
    events.new()
    durations = [1, 1, 10, 10, 100]
    settle(
        storage,
        *(Settlement.succeeded(each, at(took), "1") for each, took in zip(held, durations, strict=True)),
    )
    assert events.new() == {
        (Event.DONE, bucket_of(1)): 2,
        (Event.DONE, bucket_of(10)): 2,
        (Event.DONE, bucket_of(100)): 1,
    }


def test_a_failed_attempt_with_another_left_is_a_retry(storage: Storage, events: Events, started: Task):
    fail(storage, started, at(7))
    assert events.new() == {(Event.RETRIED, None): 1}
    again = claim_one(storage, now=at(20))
    assert events.new() == {(Event.STARTED, bucket_of(3)): 1}
    fail(storage, again, at(22))
    assert events.new() == {(Event.FAILED, bucket_of(2)): 1}


def test_a_failed_attempt_whose_start_was_never_stored_is_a_start_too(storage: Storage, events: Events, claimed: Task):
    fail(storage, claimed.reported(at(3), None), at(7))
    assert events.new() == {(Event.RETRIED, None): 1, (Event.STARTED, None): 1}


def test_a_failure_for_good_is_counted_with_its_run_time(storage: Storage, events: Events, started: Task):
    fail(storage, started, at(7), Failure("ValueError", "boom", retriable=False))
    assert events.new() == {(Event.FAILED, bucket_of(7)): 1}


@pytest.mark.parametrize("give_back", [Settlement.released, lambda held, now: Settlement.rerouted(held, now, 5)])
def test_a_release_is_no_event(
    storage: Storage, events: Events, claimed: Task, give_back: Callable[[Task, datetime], Settlement]
):
    settle(storage, give_back(claimed, at(1)))
    assert events.new() == {}


def test_a_cancelled_task_that_waits_has_no_run_time(storage: Storage, events: Events):
    waiting = add_one(storage)
    events.new()
    save(storage, waiting.cancel(at(1)))
    assert events.new() == {(Event.CANCELLED, None): 1}


def test_a_cancelled_task_that_runs_has_its_run_time(storage: Storage, events: Events, started: Task):
    save(storage, started.cancel(at(4)))
    assert events.new() == {(Event.CANCELLED, bucket_of(4)): 1}


def test_a_retry_by_hand_is_counted(storage: Storage, events: Events, started: Task):
    save(storage, started.cancel(at(4)))
    events.new()
    save(storage, task(storage, started.id).retry(at(5), attempts=1))
    assert events.new() == {(Event.RETRIED, None): 1}
    claim_one(storage, now=at(7))
    assert events.new() == {(Event.STARTED, bucket_of(2)): 1}


def test_a_task_that_is_set_aside_has_failed(storage: Storage, events: Events):
    waiting = add_one(storage)
    events.new()
    save(storage, waiting.set_aside(at(1), "odd"))
    assert events.new() == {(Event.FAILED, None): 1}


def test_a_lost_task_is_counted_and_one_that_had_not_started_is_not(storage: Storage, events: Events):
    add(storage, *[submission()] * 3)
    claim(storage, starting=2)
    events.new()
    rescue(storage, at(60))
    assert events.new() == {(Event.LOST, None): 2}


def test_a_task_that_is_lost_once_too_often_has_failed_too(storage: Storage, events: Events):
    add_one(storage, max_losses=0)
    claim_one(storage)
    events.new()
    take_back(storage, HANDLER, at(9))
    assert events.new() == {(Event.LOST, None): 1, (Event.FAILED, bucket_of(9)): 1}


def test_the_neighbours_of_a_suspect_are_lost_without_a_loss(storage: Storage, events: Events):
    add(storage, *[submission()] * 2)
    suspect, other = (each.task for each in claim(storage, starting=0))
    save(storage, replace(suspect, suspect=True))
    report(storage, ProgressReport(suspect.hold, at(1)), ProgressReport(other.hold, at(1)))
    events.new()
    take_back(storage, HANDLER, at(9))
    assert [task(storage, each.id).losses for each in (suspect, other)] == [1, 0]
    assert events.new() == {(Event.LOST, None): 2}


def test_a_deletion_takes_no_count_away(storage: Storage, events: Events, started: Task):
    succeed(storage, started, at(7))
    events.new()
    with storage.begin() as work:
        work.cleaning.delete_expired(at(10**6), 10)
        work.commit()
    assert events.new() == {}
    assert seen(storage)[Event.DONE] == {bucket_of(7): 1}


def test_durations_beyond_the_bounds_are_in_the_outermost_buckets(storage: Storage, events: Events):
    add(storage, *[submission()] * 2)
    first, second = (each.task for each in claim(storage, now=at(0)))
    assert events.new()[Event.STARTED, bucket_of(0)] == 2
    settle(storage, Settlement.succeeded(first, at(-60), "1"), Settlement.succeeded(second, at(10**9), "1"))
    assert events.new() == {(Event.DONE, bucket_of(0)): 1, (Event.DONE, bucket_of(10**9)): 1}


def test_a_rolled_back_change_is_no_event(storage: Storage, events: Events, started: Task):
    with storage.begin() as work:
        work.queue.settle([Settlement.succeeded(started, at(1), "1")])
    assert events.new() == {}


class TestReading:
    def test_counts_are_by_type_and_step(self, storage: Storage):
        add(storage, submission("a"), submission("b"), submission("b"))
        now = real_time()
        with storage.begin() as work:
            counts = work.statistics.counts(now - 60 * MINUTE, now + 60 * MINUTE, 60 * MINUTE)
            around = work.statistics.counts(now - 61 * MINUTE, now - MINUTE, MINUTE)
        # The next hour, unless the minute ended in between.
        assert counts == {
            (TypeName("a"), 1, Event.SUBMITTED): EventCount(1, {}),
            (TypeName("b"), 1, Event.SUBMITTED): EventCount(2, {}),
        }
        assert around == {}

    def test_the_latest_durations_are_those_of_one_type_and_event(self, storage: Storage):
        add(storage, submission("a"), submission("b"))
        for name, took in (("a", 5), ("b", 50)):
            succeed(storage, claim_one(storage, wanted={name: 1}), at(took))
        since = real_time() - MINUTE
        with storage.begin() as work:
            assert work.statistics.latest_buckets(TypeName("a"), Event.DONE, since, 200) == {bucket_of(5): 1}
            assert work.statistics.latest_buckets(TypeName("b"), Event.DONE, since, 1) == {bucket_of(50): 1}
            assert work.statistics.latest_buckets(TypeName("a"), Event.FAILED, since, 1) == {}
            assert work.statistics.latest_buckets(TypeName("a"), Event.DONE, since + HOUR, 1) == {}


class TestKeeping:
    def test_folding_changes_no_count(self, storage: Storage):
        for seconds in (1, 1, 10, 100):
            add_one(storage)
            succeed(storage, claim_one(storage), at(seconds))
        before = seen(storage)
        fold(storage, 5)
        assert seen(storage) == before
        while fold(storage):
            pass
        assert seen(storage) == before
        assert before[Event.DONE] == {bucket_of(1): 2, bucket_of(10): 1, bucket_of(100): 1}

    def test_events_before_a_moment_are_forgotten_once_they_are_added_up(self, storage: Storage):
        add_one(storage)
        minute = real_time()
        with storage.begin() as work:
            assert work.statistics.forget(minute - MINUTE, 10) == 0
            work.commit()
        assert seen(storage) == {Event.SUBMITTED: {None: 1}}
        with storage.begin() as work:
            assert work.statistics.forget(minute + HOUR, 10) == 0
            work.statistics.add_up(minute + HOUR)
            assert work.statistics.forget(minute + HOUR, 10) == 1
            work.commit()
        assert seen(storage) == {}

    def test_events_are_forgotten_in_batches(self, storage: Storage):
        add(storage, submission("a"), submission("b"), submission("c"))
        add_up(storage)
        forgotten: list[int] = []
        while not forgotten or forgotten[-1]:
            with storage.begin() as work:
                forgotten.append(work.statistics.forget(real_time() + HOUR, 2))
                work.commit()
        assert forgotten == [2, 1, 0]


def fold(storage: Storage, limit: int = 1000) -> int:
    with storage.begin() as work:
        folded = work.statistics.fold(real_time() - HOUR, limit)
        work.commit()
    return folded


class TestTotals:
    def test_totals_are_of_all_events_by_type(self, storage: Storage):
        add(storage, submission("a"), submission("b"), submission("b"))
        succeed(storage, claim_one(storage, wanted={"b": 1}), at(10))
        b = TypeName("b")
        assert totals(storage) == {
            (TypeName("a"), Event.SUBMITTED): EventCount(1, {}),
            (b, Event.SUBMITTED): EventCount(2, {}),
            (b, Event.STARTED): EventCount(1, {bucket_of(0): 1}),
            (b, Event.DONE): EventCount(1, {bucket_of(10): 1}),
        }

    def test_no_total_falls_when_events_are_added_up_folded_and_forgotten(self, storage: Storage):
        ran(storage, 10, 10, 100)
        before = totals(storage)
        assert before[ADD, Event.DONE] == EventCount(3, {bucket_of(10): 2, bucket_of(100): 1})
        for step in (lambda: add_up(storage), lambda: fold(storage), lambda: add_up(storage), lambda: forget(storage)):
            step()
            assert totals(storage) == before
        assert seen(storage) == {}

    def test_events_that_are_stored_later_are_added_to_the_totals(self, storage: Storage):
        ran(storage, 10)
        add_up(storage, real_time())
        ran(storage, 100)
        assert totals(storage)[ADD, Event.DONE] == EventCount(2, {bucket_of(10): 1, bucket_of(100): 1})

    def test_there_are_no_totals_of_nothing(self, storage: Storage):
        add_up(storage)
        assert totals(storage) == {}


def ran(storage: Storage, *seconds: float) -> None:
    for took in seconds:
        add_one(storage)
        succeed(storage, claim_one(storage), at(took))


def totals(storage: Storage) -> EventTotals:
    with storage.begin() as work:
        return work.statistics.totals()


def add_up(storage: Storage, until: datetime | None = None) -> None:
    has_more = True
    while has_more:
        with storage.begin() as work:
            has_more = work.statistics.add_up(until or real_time() + HOUR)
            work.commit()


def forget(storage: Storage) -> None:
    with storage.begin() as work:
        work.statistics.forget(real_time() + HOUR, 1000)
        work.commit()
