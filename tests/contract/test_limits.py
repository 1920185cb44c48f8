"""Limits: which tasks of limited types are claimed, and what a claim says of those that it leaves."""

import time
from contextlib import suppress
from datetime import datetime
from random import Random

from application.ports.limits import Bound, Bounded, LimitedClaimRequest
from application.ports.listing import Filter
from domain.errors import InvalidTransition
from domain.ids import HandlerId, TaskId
from domain.lease import Lease
from domain.limits import Limits, Override
from domain.rate import MAX_BURST, MIN_PER_SECOND
from domain.settlement import Settlement
from domain.status import Status
from domain.task_type import TaskType
from domain.waiting import WaitingFor
from tests.limiting import REPORT, claim_limited, known, override, publish, remove_override
from tests.steps import (
    ADD,
    BOOM,
    HANDLER,
    NOW,
    PLAIN,
    add,
    add_one,
    at,
    claim,
    fail,
    ids,
    rescue,
    stored,
    submission,
    succeed,
    task,
)
from tests.storage import Storage


class TestAtOnce:
    def test_no_more_tasks_run_than_the_limit(self, storage: Storage):
        publish(storage, at_once=2)
        add(storage, *[submission()] * 5)
        assert ids(claim_limited(storage).claimed) == [1, 2]
        assert ids(claim_limited(storage).claimed) == []

    def test_a_claim_says_that_the_limit_is_reached(self, storage: Storage):
        publish(storage, at_once=2)
        add(storage, *[submission()] * 2)
        assert claim_limited(storage, 1).bounds == {ADD: Bounded(Bound.REQUEST)}
        assert claim_limited(storage, 9).bounds == {ADD: Bounded(Bound.PLACES)}

    def test_a_claim_says_that_no_task_is_due(self, storage: Storage):
        publish(storage, at_once=3)
        add(storage, submission(), submission(run_at=at(9)))
        found = claim_limited(storage)
        assert (ids(found.claimed), found.bounds) == ([1], {ADD: Bounded(Bound.TASKS)})

    def test_each_claimed_task_is_on_record_as_started(self, storage: Storage):
        publish(storage, at_once=3)
        add(storage, *[submission()] * 3)
        claimed = claim_limited(storage, seconds=5).claimed
        assert [each.task.started for each in claimed] == [at(5)] * 3
        assert [each.task for each in claimed] == [task(storage, id) for id in (1, 2, 3)]

    def test_a_task_that_has_ended_leaves_its_place(self, storage: Storage):
        publish(storage, at_once=1)
        add(storage, *[submission()] * 2, submission(max_attempts=3), submission())
        first = claim_limited(storage).claimed[0].task
        succeed(storage, first)
        second = claim_limited(storage).claimed[0].task
        fail(storage, second)
        third = claim_limited(storage).claimed[0].task
        fail(storage, third)
        assert ids(claim_limited(storage).claimed) == [4]

    def test_a_task_that_was_lost_leaves_its_place(self, storage: Storage):
        publish(storage, at_once=1)
        add(storage, *[submission()] * 2)
        claim_limited(storage)
        assert [each.id for each in rescue(storage, at(31))] == [1]
        assert ids(claim_limited(storage, seconds=31).claimed) == [1]

    def test_tasks_that_ran_before_there_was_a_limit_count(self, storage: Storage):
        publish(storage)
        add(storage, *[submission()] * 4)
        running = claim(storage, 2)
        publish(storage, at_once=2)
        assert claim_limited(storage).bounds == {ADD: Bounded(Bound.PLACES)}
        succeed(storage, running[0].task)
        assert ids(claim_limited(storage).claimed) == [3]

    def test_a_limit_that_was_lowered_below_what_runs_starts_nothing(self, storage: Storage):
        publish(storage, at_once=3)
        add(storage, *[submission()] * 5)
        claim_limited(storage)
        publish(storage, at_once=1)
        assert ids(claim_limited(storage).claimed) == []

    def test_priority_and_run_at_order_the_tasks_of_a_type(self, storage: Storage):
        publish(storage, at_once=9)
        add(storage, submission(), submission(priority=5), submission(run_at=at(-5)))
        assert ids(claim_limited(storage).claimed) == [2, 3, 1]

    def test_types_take_turns_and_each_has_its_limit(self, storage: Storage):
        publish(storage, ADD, "one", at_once=1)
        publish(storage, REPORT, "two", at_once=2)
        add(storage, *[submission(ADD)] * 3, *[submission(REPORT)] * 3)
        found = claim_limited(storage, types=[REPORT, ADD])
        assert ids(found.claimed) == [4, 1, 5]
        assert found.bounds == {REPORT: Bounded(Bound.PLACES), ADD: Bounded(Bound.PLACES)}

    def test_a_type_at_its_limit_leaves_the_request_to_the_others(self, storage: Storage):
        publish(storage, ADD, "one", at_once=1)
        publish(storage, REPORT, "two", at_once=9)
        add(storage, *[submission(ADD)] * 3, *[submission(REPORT)] * 3)
        claim_limited(storage, 1, types=[ADD])
        assert ids(claim_limited(storage, 2, types=[ADD, REPORT]).claimed) == [4, 5]


class TestSettling:
    def test_a_task_that_ends_gives_its_place_to_the_next_one_in_the_same_step(self, storage: Storage):
        publish(storage, at_once=1)
        add(storage, *[submission()] * 2)
        running = claim_limited(storage).claimed[0].task
        found = claim_limited(storage, settled=[Settlement.succeeded(running, NOW, "7")])
        assert (ids(found.claimed), found.refused) == ([2], [])
        assert (task(storage, 1).status, stored(storage, 1).result) == (Status.DONE, "7")

    def test_a_failure_is_recorded_with_its_start(self, storage: Storage):
        publish(storage, at_once=1)
        add(storage, *[submission()] * 2)
        running = claim_limited(storage).claimed[0].task
        found = claim_limited(storage, settled=[Settlement.failed(running, NOW, BOOM, PLAIN, 0)])
        assert ids(found.claimed) == [2]
        with storage.begin() as work:
            assert [each.traceback for each in work.tasks.attempts(running.id)] == ["Traceback …"]

    def test_an_outcome_that_came_late_is_refused_and_frees_no_place(self, storage: Storage):
        publish(storage, at_once=1)
        add(storage, *[submission()] * 2)
        late = claim_limited(storage).claimed[0].task
        rescue(storage, at(31))
        claim_limited(storage, seconds=31)
        found = claim_limited(storage, seconds=31, settled=[Settlement.succeeded(late, at(31), "7")])
        assert (ids(found.claimed), found.refused) == ([], [1])

    def test_outcomes_may_be_written_again(self, storage: Storage):
        publish(storage, at_once=1)
        add(storage, *[submission()] * 2)
        outcome = Settlement.succeeded(claim_limited(storage).claimed[0].task, NOW, "7")
        assert ids(claim_limited(storage, settled=[outcome]).claimed) == [2]
        found = claim_limited(storage, settled=[outcome])
        assert (ids(found.claimed), found.refused) == ([], [])

    def test_outcomes_are_written_where_nothing_is_claimed(self, storage: Storage):
        publish(storage, at_once=1)
        add_one(storage)
        running = claim_limited(storage).claimed[0].task
        found = claim_limited(storage, limit=0, types=[], settled=[Settlement.succeeded(running, NOW, "7")])
        assert (ids(found.claimed), found.bounds) == ([], {})
        assert task(storage, 1).status is Status.DONE


class TestUnlimited:
    def test_a_type_without_limits_is_not_claimed_as_limited(self, storage: Storage):
        publish(storage)
        add_one(storage)
        found = claim_limited(storage)
        assert (ids(found.claimed), found.bounds) == ([], {ADD: Bounded(Bound.NO_LIMIT)})

    def test_a_limited_type_is_not_claimed_as_unlimited(self, storage: Storage):
        publish(storage, at_once=1)
        add(storage, submission(), submission(REPORT))
        assert ids(claim(storage, wanted={ADD: 9, REPORT: 9})) == [2]

    def test_the_limited_types_are_known_by_name(self, storage: Storage):
        publish(storage, ADD, "one", at_once=1)
        publish(storage, REPORT, "two")
        assert storage.autocommit.limited_types() == {ADD}
        override(storage, REPORT, paused=True)
        assert storage.autocommit.limited_types() == {ADD, REPORT}

    def test_a_publication_without_limits_ends_them(self, storage: Storage):
        publish(storage, at_once=1)
        publish(storage)
        assert storage.autocommit.limited_types() == set()
        assert known(storage).type.limits == Limits()


class TestRate:
    def test_no_more_tasks_start_at_once_than_the_burst(self, storage: Storage):
        publish(storage, per_second=0.001, burst=3)
        add(storage, *[submission()] * 5)
        assert ids(claim_limited(storage, 2).claimed) == [1, 2]
        assert ids(claim_limited(storage).claimed) == [3]
        assert ids(claim_limited(storage).claimed) == []

    def test_a_claim_says_when_the_next_task_may_start(self, storage: Storage):
        publish(storage, per_second=0.01)
        add(storage, *[submission()] * 2)
        for _ in range(2):
            bounded = claim_limited(storage).bounds[ADD]
            assert bounded.by is Bound.RATE
            assert 95 < bounded.seconds <= 100

    def test_the_next_task_starts_when_its_time_has_come(self, storage: Storage):
        publish(storage, per_second=4, burst=1)
        add(storage, *[submission()] * 3)
        assert ids(claim_limited(storage).claimed) == [1]
        began = time.monotonic()
        while not (claimed := claim_limited(storage)).claimed:
            assert time.monotonic() < began + 5
            time.sleep(claimed.bounds[ADD].seconds)
        assert ids(claimed.claimed) == [2]
        assert time.monotonic() - began > 0.2

    def test_a_start_counts_after_its_task_has_ended(self, storage: Storage):
        publish(storage, per_second=0.01)
        add(storage, *[submission()] * 2)
        succeed(storage, claim_limited(storage).claimed[0].task)
        assert claim_limited(storage).bounds[ADD].by is Bound.RATE

    def test_both_limits_hold(self, storage: Storage):
        publish(storage, at_once=2, per_second=0.01, burst=3)
        add(storage, *[submission()] * 5)
        found = claim_limited(storage)
        assert (ids(found.claimed), found.bounds[ADD]) == ([1, 2], Bounded(Bound.PLACES))
        succeed(storage, found.claimed[0].task)
        succeed(storage, found.claimed[1].task)
        assert ids(claim_limited(storage).claimed) == [3]

    def test_a_type_that_has_no_task_keeps_its_burst(self, storage: Storage):
        publish(storage, per_second=0.01, burst=2)
        claim_limited(storage)
        add(storage, *[submission()] * 3)
        assert ids(claim_limited(storage).claimed) == [1, 2]

    def test_the_slowest_rate_may_have_the_largest_burst(self, storage: Storage):
        publish(storage, per_second=MIN_PER_SECOND, burst=MAX_BURST)
        add(storage, *[submission()] * 3)
        assert [ids(claim_limited(storage, 1).claimed) for _ in range(3)] == [[1], [2], [3]]
        assert known(storage).limits.held_back_by(NOW) is None

    def test_a_higher_rate_holds_at_once(self, storage: Storage):
        publish(storage, per_second=0.001)
        add(storage, *[submission()] * 3)
        claim_limited(storage)
        override(storage, per_second=1000)
        assert claim_limited(storage).bounds[ADD].seconds < 1


class TestOverride:
    def test_an_override_holds_in_place_of_what_is_declared(self, storage: Storage):
        publish(storage, at_once=1)
        override(storage, at_once=2)
        add(storage, *[submission()] * 3)
        assert ids(claim_limited(storage).claimed) == [1, 2]

    def test_what_is_not_overridden_stays_as_it_is_declared(self, storage: Storage):
        publish(storage, at_once=1, per_second=5, burst=2)
        override(storage, burst=7)
        assert known(storage).limits.limits == Limits(at_once=1, per_second=5, burst=7)
        assert known(storage).type.limits == Limits(at_once=1, per_second=5, burst=2)

    def test_an_override_of_none_lifts_a_limit(self, storage: Storage):
        publish(storage, at_once=1)
        override(storage, at_once=None)
        add(storage, *[submission()] * 3)
        assert ids(claim_limited(storage).claimed) == [1, 2, 3]

    def test_it_stands_across_publications(self, storage: Storage):
        publish(storage, at_once=1)
        override(storage, at_once=5)
        publish(storage, handler="two")
        assert known(storage).limits.limits == Limits(at_once=5)
        publish(storage, at_once=3)
        assert known(storage).limits.limits == Limits(at_once=5)

    def test_a_later_one_replaces_it(self, storage: Storage):
        publish(storage)
        override(storage, at_once=5)
        override(storage, paused=True)
        assert known(storage).limits.override == Override({"paused": True})
        assert known(storage).limits.limits == Limits(paused=True)

    def test_without_it_the_declared_limits_hold(self, storage: Storage):
        publish(storage, at_once=1)
        override(storage, at_once=5, paused=True)
        remove_override(storage)
        assert known(storage).limits.limits == Limits(at_once=1)
        assert known(storage).limits.override is None

    def test_without_it_a_type_that_declares_none_has_no_limits(self, storage: Storage):
        publish(storage)
        override(storage, at_once=5)
        remove_override(storage)
        assert storage.autocommit.limited_types() == set()

    def test_it_can_be_removed_again(self, storage: Storage):
        publish(storage, at_once=1)
        remove_override(storage)
        assert known(storage).limits.limits == Limits(at_once=1)

    def test_it_stands_though_its_type_is_forgotten(self, storage: Storage):
        publish(storage, at_once=1)
        override(storage, at_once=4)
        forget(storage)
        publish(storage)
        assert known(storage).limits.limits == Limits(at_once=4)

    def test_declared_limits_are_forgotten_with_their_type(self, storage: Storage):
        publish(storage, at_once=1)
        forget(storage)
        assert storage.autocommit.limited_types() == set()


class TestPause:
    def test_a_paused_type_starts_nothing(self, storage: Storage):
        publish(storage)
        override(storage, paused=True)
        add_one(storage)
        found = claim_limited(storage)
        assert (ids(found.claimed), found.bounds) == ([], {ADD: Bounded(Bound.PAUSE)})
        assert ids(claim(storage)) == []

    def test_a_type_of_which_none_may_run_at_once_is_paused(self, storage: Storage):
        publish(storage, at_once=0)
        add_one(storage)
        assert claim_limited(storage).bounds == {ADD: Bounded(Bound.PAUSE)}

    def test_what_runs_goes_on(self, storage: Storage):
        publish(storage, at_once=1)
        add_one(storage)
        running = claim_limited(storage).claimed[0].task
        override(storage, paused=True)
        assert not succeed(storage, running)

    def test_it_goes_on_where_it_was(self, storage: Storage):
        publish(storage)
        override(storage, paused=True)
        add_one(storage)
        remove_override(storage)
        assert ids(claim(storage)) == [1]


class TestView:
    def test_a_type_shows_what_runs_of_it(self, storage: Storage):
        publish(storage, at_once=2)
        add(storage, *[submission()] * 3)
        claim_limited(storage)
        assert known(storage).limits.running == 2

    def test_a_type_tells_what_holds_its_tasks_back(self, storage: Storage):
        publish(storage, at_once=1, per_second=0.01)
        add(storage, *[submission()] * 2)
        assert known(storage).limits.held_back_by(NOW) is None
        running = claim_limited(storage).claimed[0].task
        assert known(storage).limits.held_back_by(NOW) is WaitingFor.LIMIT
        succeed(storage, running)
        assert known(storage).limits.held_back_by(NOW) is WaitingFor.RATE
        override(storage, paused=True)
        assert known(storage).limits.held_back_by(NOW) is WaitingFor.PAUSED

    def test_a_type_without_limits_holds_nothing_back(self, storage: Storage):
        publish(storage)
        assert known(storage).limits.held_back_by(NOW) is None


def test_after_a_thousand_random_changes_the_capacity_is_whole(storage: Storage):
    random = Random(16)
    publish(storage, at_once=4)
    for seconds in range(1_000):
        now = at(seconds)
        lease = Lease.granted(HANDLER, now, random.choice((1, 30)))
        ids = range(max(1, storage_size(storage) - 12), storage_size(storage) + 1)
        tasks = [record.task for record in storage.autocommit.get_many([TaskId(id) for id in ids]).values()]
        running = [each for each in tasks if each.status is Status.RUNNING]
        assert len(running) <= 4
        match random.choice(("add", "claim", "settle", "cancel", "retry", "delete", "expire", "lose")):
            case "add":
                add(storage, *[submission(now=now, ttl=random.choice((5, 600)), max_attempts=2)] * 2)
            case "claim":
                storage.autocommit.claim_limited(lease, now, LimitedClaimRequest([ADD], random.randint(1, 5), 10**9))
            case "settle" if running:
                ended = random.choice(running)
                end = random.choice((Settlement.succeeded(ended, now, "1"), Settlement.released(ended, now)))
                storage.autocommit.settle([end])
            case "cancel" | "retry" | "delete" as verb if tasks:
                change(storage, random.choice(tasks).id, verb, now)
            case "expire":
                with storage.begin() as work:
                    work.cleaning.delete_expired(now, 100)
                    work.commit()
            case "lose":
                rescue(storage, now)
    rescue(storage, at(5_000))
    with storage.begin() as work:
        work.cleaning.delete_expired(at(10**6), 10_000)
        work.commit()
    add(storage, *[submission(now=at(10**6))] * 9)
    assert len(claim_limited(storage, seconds=10**6).claimed) == 4


def forget(storage: Storage) -> None:
    """Let the type be abandoned for so long that it is forgotten."""
    with storage.begin() as work:
        work.types.withdraw(HANDLER)
        work.types.publish(HandlerId("two"), [TaskType(name=REPORT)], at(9999))
        work.types.review(NOW)
        assert work.types.forget_abandoned(at(60), at(30), 10) == [ADD]
        work.commit()


def storage_size(storage: Storage) -> int:
    """The highest id so far."""
    with storage.begin() as work:
        found = work.listing.search(Filter(), None, 1).tasks
    return found[0].id if found else 0


def change(storage: Storage, id: TaskId, verb: str, now: datetime) -> None:
    """Change a task as a request does, if its status allows it."""
    with storage.begin() as work, suppress(InvalidTransition):
        (task,) = work.tasks.lock(id)
        if verb == "delete":
            task.check_deletable()
            work.tasks.remove(id)
        else:
            work.tasks.save(task.cancel(now) if verb == "cancel" else task.retry(now, attempts=1))
        work.commit()
