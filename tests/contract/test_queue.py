"""The queue: renewing, reporting, settling, rescuing."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from application.ports.queue import ProgressReport
from domain.failure import Error, Failure
from domain.ids import Claim, HandlerId, Hold, TaskId
from domain.lease import Lease
from domain.progress import Progress
from domain.settlement import Outcome, Settlement
from domain.status import Status
from domain.task import Task
from tests.steps import (
    BOOM,
    NOW,
    PLAIN,
    add,
    add_one,
    at,
    claim,
    claim_one,
    fail,
    ids,
    renew,
    report,
    rescue,
    save,
    settle,
    stored,
    submission,
    succeed,
    take_back,
    task,
)
from tests.storage import Storage


def claimed_twice(storage: Storage) -> tuple[Task, Task]:
    """The only task under two claims: what a handler holds that was rescued and claimed it again."""
    old = claim_one(storage)
    rescue(storage, at(31))
    return old, claim_one(storage, now=at(31))


def held_by_another(running: Task) -> Task:
    """The task as a handler knows it whose equal claim a failover has lost."""
    return replace(running, lease=Lease(HandlerId("lost-handler"), at(30)))


class TestFenceOfTheHandler:
    @pytest.fixture
    def running(self, storage: Storage) -> Task:
        add_one(storage)
        return claim_one(storage)

    def test_a_renewal_of_an_equal_claim_by_another_handler_is_lost(self, storage: Storage, running: Task):
        lost = held_by_another(running).hold
        assert list(renew(storage, [lost], at(20), "lost-handler")) == [lost]
        assert storage.autocommit.renew([lost], Lease(HandlerId("lost-handler"), at(50))).lost == [lost]
        assert task(storage, 1) == running

    def test_an_equal_claim_by_another_handler_is_found_lost(self, storage: Storage, running: Task):
        lost = held_by_another(running).hold
        with storage.begin() as work:
            assert list(work.queue.lost([lost, running.hold])) == [lost]

    def test_a_report_under_an_equal_claim_by_another_handler_is_left_alone(self, storage: Storage, running: Task):
        report(storage, ProgressReport(held_by_another(running).hold, at(1), Progress(0.9)))
        assert task(storage, 1) == running

    @pytest.mark.parametrize("log", ["", "printed"])
    def test_an_outcome_of_an_equal_claim_by_another_handler_is_refused(
        self, storage: Storage, running: Task, log: str
    ):
        late = Settlement.succeeded(held_by_another(running), at(1), "late", log)
        assert list(settle(storage, late)) == [1]
        assert list(storage.autocommit.settle_unlocked([late]).refused) == [1]
        assert task(storage, 1) == running
        assert list(succeed(storage, running, at(2), "[1]")) == []
        assert stored(storage, 1).result == "[1]"

    def test_an_outcome_of_an_earlier_task_with_the_same_id_is_refused(self, storage: Storage, running: Task):
        earlier = replace(running, created=at(-100))
        release = Settlement.released(running, at(1))
        assert list(settle(storage, Settlement.succeeded(earlier, at(1), "late", "printed"))) == [1]
        assert list(settle(storage, Settlement.succeeded(earlier, at(1), "late"), release)) == [1]
        assert task(storage, 1) == running.release(at(1))

    def test_a_repeated_outcome_is_a_success_though_no_handler_holds_its_task_any_more(
        self, storage: Storage, running: Task
    ):
        assert [list(succeed(storage, running, at(1))) for _ in range(2)] == [[], []]


class TestHolding:
    def test_a_renewed_lease_lasts_longer(self, storage: Storage):
        add_one(storage)
        running = claim_one(storage)
        assert list(renew(storage, [running.hold], at(20))) == []
        assert task(storage, 1).lease == Lease(HandlerId("handler-1"), at(50))

    def test_a_lapsed_lease_can_be_renewed_while_its_task_was_not_taken_back(self, storage: Storage):
        add_one(storage)
        running = claim_one(storage)
        assert list(renew(storage, [running.hold], at(1000))) == []
        assert list(rescue(storage, at(1001))) == []

    def test_renewing_nothing_is_no_error(self, storage: Storage):
        assert list(renew(storage, [], NOW)) == []

    @pytest.mark.parametrize("end", ["cancelled", "rescued", "done", "older claim", "gone"])
    def test_a_hold_that_no_longer_exists_is_lost(self, storage: Storage, end: str):
        add(storage, submission(max_losses=9), submission())
        mine, other = (claimed.task for claimed in claim(storage))
        hold = mine.hold
        if end == "cancelled":
            save(storage, mine.cancel(NOW))
        elif end == "done":
            succeed(storage, mine)
        elif end == "gone":
            hold = Hold(TaskId(99), Claim(1), HandlerId("handler-1"))
        elif end in ("rescued", "older claim"):
            renew(storage, [other.hold], at(31))
            rescue(storage, at(31))
        if end == "older claim":
            claim_one(storage, now=at(32))
        with storage.begin() as work:
            assert list(work.queue.lost([hold, other.hold])) == [hold]
        before = task(storage, 1)
        assert list(renew(storage, [hold, other.hold], at(33))) == [hold]
        assert task(storage, 1) == before

    def test_of_two_claims_of_one_task_the_older_is_lost(self, storage: Storage):
        add_one(storage)
        old, new = claimed_twice(storage)
        assert list(renew(storage, [old.hold, new.hold], at(40))) == [old.hold]
        report(
            storage, ProgressReport(new.hold, at(41), Progress(0.1)), ProgressReport(old.hold, at(32), Progress(0.9))
        )
        assert task(storage, 1).progress == Progress(0.1)

    def test_looking_for_lost_claims_among_none_finds_none(self, storage: Storage):
        with storage.begin() as work:
            assert list(work.queue.lost([])) == []

    def test_a_report_shows_when_it_started_and_how_far_it_is(self, storage: Storage):
        add_one(storage)
        running = claim_one(storage)
        report(storage, ProgressReport(running.hold, at(1), Progress(0.4, "reading \0")))
        assert task(storage, 1) == running.reported(at(1), Progress(0.4, "reading \0"))
        report(storage, ProgressReport(running.hold, at(1)))
        assert task(storage, 1).progress == Progress(0.4, "reading \0")

    def test_a_report_under_an_older_claim_is_left_alone(self, storage: Storage):
        add_one(storage)
        old = claim_one(storage)
        rescue(storage, at(31))
        new = claim_one(storage, now=at(31))
        report(storage, ProgressReport(old.hold, at(1), Progress(0.9)))
        assert task(storage, 1) == new

    def test_the_holds_of_a_handler_are_listed(self, storage: Storage):
        add(storage, *[submission()] * 4)
        mine = claim(storage, 2)
        claim(storage, 1, handler="other")
        succeed(storage, mine[0].task)
        with storage.begin() as work:
            assert list(work.queue.held_by(HandlerId("handler-1"))) == [mine[1].task.hold]
            assert list(work.queue.held_by(HandlerId("nobody"))) == []


class TestSettling:
    def test_a_success_is_done_with_its_result(self, storage: Storage):
        add_one(storage)
        running = claim_one(storage).reported(at(1), Progress(1.0))
        assert list(succeed(storage, running, at(2), "[1]")) == []
        assert task(storage, 1) == running.succeed(at(2))
        assert stored(storage, 1).result == "[1]"

    def test_a_failure_with_attempts_left_waits_for_its_backoff(self, storage: Storage):
        add_one(storage, max_attempts=2)
        fail(storage, claim_one(storage))
        after = task(storage, 1)
        assert (after.status, after.run_at, after.attempt) == (Status.WAITING, at(10), 1)
        assert after.error == Error("ValueError", "boom", 1)
        assert ids(claim(storage, now=at(9))) == []
        assert claim_one(storage, now=at(10)).attempt == 2

    def test_the_last_failure_is_final(self, storage: Storage):
        add_one(storage, max_attempts=1)
        fail(storage, claim_one(storage), at(1))
        assert (task(storage, 1).status, task(storage, 1).finished) == (Status.FAILED, at(1))

    def test_an_error_keeps_every_character(self, storage: Storage):
        add_one(storage)
        fail(storage, claim_one(storage), failure=Failure("E\0", "nul \0 % ' \\ 😀", traceback="\0"))
        assert task(storage, 1).error == Error("E\0", "nul \0 % ' \\ 😀", 1)

    def test_a_released_task_keeps_its_place_and_spends_nothing(self, storage: Storage):
        add(storage, submission(), submission())
        settle(storage, Settlement.released(claim_one(storage), NOW))
        after = task(storage, 1)
        assert (after.status, after.attempt, after.losses, after.claims) == (Status.WAITING, 0, 0, 1)
        assert ids(claim(storage)) == [1, 2]

    def test_failed_and_lost_starts_are_recorded(self, storage: Storage):
        add_one(storage, max_attempts=3)
        first = claim_one(storage)
        fail(storage, first, at(1))
        second = claim_one(storage, now=at(20))
        rescue(storage, at(60))
        with storage.begin() as work:
            records = list(work.tasks.attempts(TaskId(1)))
        assert records == [
            Settlement.failed(first, at(1), BOOM, PLAIN, 0).attempt,
            Settlement.lost(second, at(60)).attempt,
        ]

    def test_an_outcome_of_an_older_claim_is_refused(self, storage: Storage):
        add_one(storage)
        old = claim_one(storage)
        rescue(storage, at(31))
        new = claim_one(storage, now=at(31))
        assert list(succeed(storage, old, at(32), '"stale"')) == [1]
        assert stored(storage, 1).task == new
        assert list(succeed(storage, new, at(33), '"fresh"')) == []
        assert stored(storage, 1).result == '"fresh"'

    def test_of_two_outcomes_of_one_task_in_a_batch_that_of_the_present_claim_is_written(self, storage: Storage):
        add_one(storage)
        old, new = claimed_twice(storage)
        fresh = Settlement.failed(new, at(33), BOOM, PLAIN, 0)
        assert list(settle(storage, fresh, Settlement.succeeded(old, at(32), '"stale"'))) == [1]
        assert task(storage, 1) == fresh.task
        with storage.begin() as work:
            assert list(work.tasks.attempts(TaskId(1)))[1:] == [fresh.attempt]

    def test_a_stale_handler_cannot_give_back_what_another_holds(self, storage: Storage):
        add_one(storage)
        old = claim_one(storage)
        rescue(storage, at(31))
        new = claim_one(storage, now=at(31))
        assert list(settle(storage, Settlement.released(old, at(32)))) == [1]
        assert task(storage, 1) == new

    def test_an_outcome_after_a_cancel_is_refused(self, storage: Storage):
        add_one(storage)
        running = claim_one(storage)
        save(storage, running.cancel(at(1)))
        assert list(succeed(storage, running, at(1))) == [1]
        assert task(storage, 1).status is Status.CANCELLED

    def test_a_success_is_not_marked_as_failed_later(self, storage: Storage):
        add_one(storage)
        running = claim_one(storage)
        succeed(storage, running, at(1))
        assert list(fail(storage, running, at(2))) == [1]
        assert task(storage, 1).status is Status.DONE
        with storage.begin() as work:
            assert list(work.tasks.attempts(TaskId(1))) == []

    def test_an_outcome_of_a_deleted_task_is_refused(self, storage: Storage):
        add_one(storage)
        assert list(succeed(storage, replace(claim_one(storage), id=TaskId(99)))) == [99]

    @pytest.mark.parametrize("kind", ["succeeded", "failed for good", "failed", "released", "lost"])
    def test_a_settlement_may_be_repeated(self, storage: Storage, kind: str):
        add_one(storage, max_attempts=1 if kind == "failed for good" else 2)
        running = claim_one(storage)
        settlement = {
            "succeeded": lambda: Settlement.succeeded(running, at(1), "1"),
            "failed for good": lambda: Settlement.failed(running, at(1), BOOM, PLAIN, 0),
            "failed": lambda: Settlement.failed(running, at(1), BOOM, PLAIN, 0),
            "released": lambda: Settlement.released(running, at(1)),
            "lost": lambda: Settlement.lost(running, at(1)),
        }[kind]()
        assert list(settle(storage, settlement)) == []
        before = task(storage, 1)
        assert list(settle(storage, settlement)) == []
        assert task(storage, 1) == before

    def test_another_outcome_of_the_same_moment_is_no_repetition(self, storage: Storage):
        add_one(storage)
        running = claim_one(storage)
        fail(storage, running, at(1))
        assert list(fail(storage, running, at(1), Failure("Other", "bang"))) == [1]

    def test_a_refused_outcome_does_not_harm_its_neighbours(self, storage: Storage):
        add(storage, *[submission()] * 3)
        running = [claimed.task for claimed in claim(storage)]
        save(storage, running[1].cancel(NOW))
        assert list(settle(storage, *(Settlement.succeeded(each, NOW, "1") for each in running))) == [2]
        assert [task(storage, id).status for id in (1, 2, 3)] == [Status.DONE, Status.CANCELLED, Status.DONE]

    def test_settling_nothing_is_no_error(self, storage: Storage):
        assert list(settle(storage)) == []


class TestRescuing:
    def test_a_lapsed_lease_gives_the_task_back_without_an_attempt(self, storage: Storage):
        add_one(storage)
        running = claim_one(storage)
        assert list(rescue(storage, at(31))) == [running.suspected().lose(at(31))]
        assert (task(storage, 1).status, task(storage, 1).attempt, task(storage, 1).losses) == (Status.WAITING, 0, 1)

    def test_a_started_task_is_a_suspect_after_the_death_of_its_handler(self, storage: Storage):
        add(storage, *[submission()] * 2)
        claim(storage, starting=1)
        rescue(storage, at(31))
        assert [task(storage, id).suspect for id in (1, 2)] == [True, False]

    def test_only_the_suspect_is_charged_and_its_neighbours_become_suspects(self, storage: Storage):
        add(storage, submission(), submission(max_losses=1), submission(max_losses=0))
        save(storage, task(storage, 1).suspected())
        claimed = claim(storage)
        report(storage, ProgressReport(claimed[0].task.hold, NOW))
        take_back(storage, HandlerId("handler-1"), at(1))
        after = [task(storage, id) for id in (1, 2, 3)]
        assert [(each.status, each.attempt, each.losses, each.suspect) for each in after] == [
            (Status.WAITING, 0, 1, True),
            (Status.WAITING, 0, 0, True),
            (Status.FAILED, 1, 1, True),
        ]
        with storage.begin() as work:
            assert {work.tasks.attempts(TaskId(id))[0].outcome for id in (1, 2, 3)} == {Outcome.LOST}

    def test_a_claimed_suspect_has_not_started_until_its_start_is_recorded(self, storage: Storage):
        add(storage, *[submission()] * 2)
        save(storage, task(storage, 1).suspected())
        suspect, innocent = (each.task for each in claim(storage))
        assert (suspect.suspect, suspect.started, suspect.must_start_on_record) == (True, None, True)
        assert (innocent.suspect, innocent.started) == (False, NOW)
        assert [task(storage, id).started for id in (1, 2)] == [None, NOW]

    def test_a_settled_suspect_stays_one_until_it_is_retried(self, storage: Storage):
        add_one(storage)
        save(storage, task(storage, 1).suspected())
        fail(storage, claim_one(storage))
        assert task(storage, 1).suspect
        save(storage, task(storage, 1).retry(at(1), 1))
        assert not task(storage, 1).suspect

    def test_a_task_of_an_unknown_handler_is_taken_back_when_its_lease_lapses(self, storage: Storage):
        add_one(storage)
        claim_one(storage)
        with storage.begin() as work:
            work.types.withdraw(HandlerId("handler-1"))
            work.commit()
        assert [each.id for each in rescue(storage, at(31))] == [1]

    def test_a_task_that_had_not_started_counts_no_loss(self, storage: Storage):
        add(storage, submission(max_losses=0), submission(max_losses=0))
        claim(storage, starting=1)
        rescue(storage, at(31))
        assert [(task(storage, id).status, task(storage, id).losses) for id in (1, 2)] == [
            (Status.FAILED, 1),
            (Status.WAITING, 0),
        ]
        with storage.begin() as work:
            assert [len(work.tasks.attempts(TaskId(id))) for id in (1, 2)] == [1, 0]

    def test_tasks_of_an_ended_handler_are_taken_back_before_their_leases_lapse(self, storage: Storage):
        add(storage, *[submission()] * 4)
        claim(storage, 3)
        claim(storage, 1, handler="other")
        assert [each.id for each in take_back(storage, HandlerId("handler-1"), at(1), limit=2)] == [1, 2]
        assert [each.id for each in take_back(storage, HandlerId("handler-1"), at(1))] == [3]
        assert task(storage, 4).status is Status.RUNNING

    def test_live_leases_do_not_hide_a_lapsed_one(self, storage: Storage):
        add(storage, *[submission()] * 5)
        claim(storage, 4, lease=500)
        claim(storage, 1, lease=10)
        assert [each.id for each in rescue(storage, at(31), limit=1)] == [5]

    def test_a_live_lease_is_never_taken(self, storage: Storage):
        add_one(storage)
        claim_one(storage)
        assert list(rescue(storage, at(30))) == []

    def test_a_task_lost_too_often_fails(self, storage: Storage):
        add_one(storage, max_losses=0)
        claim_one(storage)
        rescue(storage, at(31))
        failed = task(storage, 1)
        assert failed.status is Status.FAILED
        assert failed.error is not None
        assert failed.error.type == "Lost"

    def test_every_lapsed_task_is_found_page_by_page(self, storage: Storage):
        add(storage, *[submission()] * 7)
        claim(storage)
        assert [len(rescue(storage, at(31), limit=3)) for _ in range(4)] == [3, 3, 1, 0]

    def test_the_longest_lapsed_tasks_are_found_first(self, storage: Storage):
        add(storage, *[submission()] * 2)
        claim(storage, 1, lease=50)
        claim(storage, 1, lease=40)
        assert [each.id for each in rescue(storage, at(60), limit=1)] == [2]


def test_the_storage_knows_when_it_started(storage: Storage):
    assert storage.autocommit.observe_leases().up_since.tzinfo is not None


class TestTrialWrite:
    def test_a_trial_write_changes_no_task(self, storage: Storage):
        add(storage, submission(), submission())
        claim(storage, 1)
        before = [task(storage, id) for id in (1, 2)]
        storage.autocommit.observe_leases()
        assert [task(storage, id) for id in (1, 2)] == before


class TestLeases:
    def test_the_leases_of_running_tasks_are_listed_with_the_seconds_of_their_handlers(self, storage: Storage):
        add(storage, *[submission()] * 4)
        claim(storage, 2)
        claim(storage, 1, handler="unknown", lease=50)
        with storage.begin() as work:
            work.types.publish(HandlerId("handler-1"), [], at(30), lease=7.5)
            work.commit()
        assert storage.autocommit.observe_leases().leases == {
            Lease(HandlerId("handler-1"), at(30)): 7.5,
            Lease(HandlerId("unknown"), at(50)): None,
        }

    def test_without_running_tasks_there_are_no_leases(self, storage: Storage):
        add_one(storage)
        assert storage.autocommit.observe_leases().leases == {}

    def test_a_lease_is_named_by_handler_and_moment(self, storage: Storage):
        add(storage, *[submission()] * 2)
        claim(storage, 1)
        claim(storage, 1, handler="other")
        assert lapsed(storage, [Lease(HandlerId("other"), at(30))]) == [2]
        assert lapsed(storage, []) == []

    def test_tasks_that_are_left_out_hide_no_others(self, storage: Storage):
        add(storage, *[submission()] * 3)
        claim(storage)
        lease = Lease(HandlerId("handler-1"), at(30))
        assert lapsed(storage, [lease], limit=1, left_out=[1, 2]) == [3]


def lapsed(storage: Storage, leases: Sequence[Lease], limit: int = 9, left_out: Sequence[int] = ()) -> list[int]:
    """Return the ids of the tasks under these leases, which a unit of work and the autocommit store agree on."""
    ids = [TaskId(id) for id in left_out]
    with storage.begin() as work:
        locked = work.queue.lapsed(leases, limit, ids)
    assert list(storage.autocommit.lapsed(leases, limit, ids)) == list(locked)
    return [each.id for each in locked]
