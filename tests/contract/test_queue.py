"""The queue: claiming, renewing, reporting, settling, rescuing."""

from dataclasses import replace

import pytest

from application.ports.queue import ProgressReport
from application.ports.unit_of_work import Begin
from domain.failure import Error, Failure
from domain.ids import Claim, HandlerId, Hold, TaskId
from domain.lease import Lease
from domain.progress import Progress
from domain.settlement import Settlement
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


def claimed_twice(begin: Begin) -> tuple[Task, Task]:
    """The only task under two claims, as a handler holds it that was rescued and claimed it again."""
    old = claim_one(begin)
    rescue(begin, at(31))
    return old, claim_one(begin, now=at(31))


class TestClaiming:
    def test_a_claimed_task_runs_under_the_lease_of_its_handler(self, begin: Begin):
        waiting = add_one(begin, args='{"a":1}')
        (claimed,) = claim(begin)
        assert claimed.task == waiting.claim(Lease(HandlerId("handler-1"), at(30)), NOW)
        assert claimed.args == '{"a":1}'
        assert task(begin, 1) == claimed.task

    def test_a_task_is_claimed_once(self, begin: Begin):
        add_one(begin)
        assert ids(claim(begin)) == [1]
        assert ids(claim(begin)) == []

    def test_an_empty_queue_gives_nothing(self, begin: Begin):
        assert ids(claim(begin)) == []

    def test_no_more_are_claimed_than_the_limit(self, begin: Begin):
        add(begin, *[submission()] * 5)
        assert ids(claim(begin, 3)) == [1, 2, 3]

    def test_no_more_of_a_type_are_claimed_than_wanted(self, begin: Begin):
        add(begin, *[submission("a")] * 3, *[submission("b")] * 3)
        assert ids(claim(begin, wanted={"a": 1, "b": 2})) == [1, 4, 5]

    def test_a_type_that_is_wanted_zero_times_is_left(self, begin: Begin):
        add(begin, submission("a"), submission("b"))
        assert ids(claim(begin, wanted={"a": 0, "b": 5})) == [2]

    def test_types_that_are_not_wanted_are_left(self, begin: Begin):
        add(begin, submission("other"), submission("add"))
        assert ids(claim(begin, wanted={"add": 5})) == [2]

    def test_a_task_that_is_not_due_is_left_until_it_is(self, begin: Begin):
        add(begin, submission(run_at=at(10)), submission())
        assert ids(claim(begin)) == [2]
        assert ids(claim(begin, now=at(9.999))) == []
        assert ids(claim(begin, now=at(10))) == [1]

    def test_a_task_that_waits_for_longer_than_any_lease_is_claimed_once(self, begin: Begin):
        add_one(begin, run_at=at(86_400), ttl=100_000)
        for hour in range(24):
            assert ids(claim(begin, now=at(3600 * hour))) == []
            assert list(rescue(begin, at(3600 * hour))) == []
        assert [ids(claim(begin, now=at(86_400))) for _ in range(2)] == [[1], []]
        assert (task(begin, 1).attempt, task(begin, 1).losses) == (1, 0)

    def test_higher_priority_comes_first(self, begin: Begin):
        add(begin, *(submission(priority=priority) for priority in (0, -100, 100, 5)))
        assert ids(claim(begin)) == [3, 4, 1, 2]

    def test_tasks_that_are_not_due_do_not_hide_a_lower_priority(self, begin: Begin):
        add(begin, submission(priority=9, run_at=at(60)), submission(priority=0))
        assert ids(claim(begin)) == [2]

    def test_within_a_type_the_order_is_run_at_then_id(self, begin: Begin):
        add(begin, submission(run_at=at(-1)), submission(run_at=at(-3)), submission(run_at=at(-1)))
        assert ids(claim(begin)) == [2, 1, 3]

    def test_types_of_one_priority_take_turns(self, begin: Begin):
        add(begin, *[submission("a")] * 4, *[submission("b")] * 2)
        assert ids(claim(begin, 5, wanted={"b": 9, "a": 9})) == [5, 1, 6, 2, 3]

    def test_turns_do_not_outrank_priority(self, begin: Begin):
        add(begin, submission("a", priority=1), submission("a", priority=1), submission("b"))
        assert ids(claim(begin, 2, wanted={"b": 9, "a": 9})) == [1, 2]

    def test_a_limit_for_a_type_counts_over_its_priorities(self, begin: Begin):
        add(begin, submission("a"), submission("a", priority=5), submission("a", priority=9), submission("b"))
        assert ids(claim(begin, wanted={"a": 2, "b": 2})) == [3, 2, 4]

    def test_a_batch_is_bounded_by_the_bytes_of_its_arguments(self, begin: Begin):
        add(begin, *[submission(args='{"a":"ééé"}')] * 4)
        size = len('{"a":"ééé"}'.encode())
        assert ids(claim(begin, max_bytes=2 * size)) == [1, 2]
        assert ids(claim(begin, max_bytes=2 * size - 1)) == [3]

    def test_a_task_larger_than_the_bound_is_claimed_alone(self, begin: Begin):
        add(begin, submission(args='{"a":"' + "x" * 100 + '"}'), submission())
        assert ids(claim(begin, max_bytes=10)) == [1]

    def test_no_more_of_the_slow_types_are_claimed_than_max_slow(self, begin: Begin):
        add(begin, *[submission("a")] * 3, *[submission("b")] * 3, *[submission("quick")] * 3)
        how = {"wanted": {"a": 2, "quick": 9, "b": 2}, "slow": {"a", "b"}, "max_slow": 2}
        assert ids(claim(begin, **how)) == [1, 7, 4, 8, 9]
        assert ids(claim(begin, **how | {"max_slow": 0})) == []
        assert ids(claim(begin, **how | {"max_slow": 3})) == [2, 5, 3]

    def test_the_higher_priority_of_the_slow_types_comes_first(self, begin: Begin):
        add(begin, submission("a"), submission("a", priority=1), submission("b", priority=2))
        assert ids(claim(begin, wanted={"a": 2, "b": 2}, slow={"a", "b"}, max_slow=2)) == [3, 2]

    def test_a_claim_with_a_cursor_takes_only_tasks_behind_it(self, begin: Begin):
        add(begin, submission(run_at=at(-1)), submission(run_at=at(-3)), *[submission(run_at=at(-2))] * 3)
        assert ids(claim(begin, cursors={("add", 0): (at(-2), 4)})) == [5, 1]
        assert ids(claim(begin, cursors={("add", 0): (at(-2), 4)})) == []
        assert ids(claim(begin)) == [2, 3, 4]

    def test_a_cursor_holds_for_its_type_and_priority_alone(self, begin: Begin):
        add(begin, *(submission(type, priority=nth) for type in ("a", "b") for nth in (9, 5, 1, -2)))
        cursors = {("a", 5): (NOW, 10**9), ("b", 7): (NOW, 10**9), ("b", 1): (at(-1), 0), ("c", 1): (NOW, 10**9)}
        assert ids(claim(begin, wanted={"a": 9, "b": 9}, cursors=cursors)) == [1, 5, 6, 3, 7, 4, 8]

    def test_the_first_claimed_tasks_are_on_record_as_started_and_the_others_are_not(self, begin: Begin):
        add(begin, *[submission(priority=-nth) for nth in range(3)])
        claimed = claim(begin, now=at(5), starting=2)
        assert [each.task.started for each in claimed] == [at(5), at(5), None]
        assert [task(begin, id).started for id in (1, 2, 3)] == [at(5), at(5), None]

    def test_every_claim_has_a_higher_number(self, begin: Begin):
        add_one(begin, max_attempts=9, max_losses=9)
        numbers = []
        for seconds in range(0, 400, 100):
            running = claim_one(begin, now=at(seconds))
            numbers.append(running.claims)
            rescue(begin, at(seconds + 31))
        assert numbers == [1, 2, 3, 4]


class TestHolding:
    def test_a_renewed_lease_lasts_longer(self, begin: Begin):
        add_one(begin)
        running = claim_one(begin)
        assert list(renew(begin, [running.hold], at(20))) == []
        assert task(begin, 1).lease == Lease(HandlerId("handler-1"), at(50))

    def test_a_lapsed_lease_can_be_renewed_while_nobody_has_taken_the_task(self, begin: Begin):
        add_one(begin)
        running = claim_one(begin)
        assert list(renew(begin, [running.hold], at(1000))) == []
        assert list(rescue(begin, at(1001))) == []

    def test_renewing_nothing_is_no_error(self, begin: Begin):
        assert list(renew(begin, [], NOW)) == []

    @pytest.mark.parametrize("end", ["cancelled", "rescued", "done", "older claim", "gone"])
    def test_a_hold_that_was_lost_is_answered(self, begin: Begin, end: str):
        add(begin, submission(max_losses=9), submission())
        mine, other = (claimed.task for claimed in claim(begin))
        hold = mine.hold
        if end == "cancelled":
            save(begin, mine.cancel(NOW))
        elif end == "done":
            succeed(begin, mine)
        elif end == "gone":
            hold = Hold(TaskId(99), Claim(1))
        elif end in ("rescued", "older claim"):
            renew(begin, [other.hold], at(31))
            rescue(begin, at(31))
        if end == "older claim":
            claim_one(begin, now=at(32))
        with begin() as work:
            assert list(work.queue.lost([hold, other.hold])) == [hold]
        before = task(begin, 1)
        assert list(renew(begin, [hold, other.hold], at(33))) == [hold]
        assert task(begin, 1) == before

    def test_the_older_of_two_claims_of_one_task_is_lost(self, begin: Begin):
        add_one(begin)
        old, new = claimed_twice(begin)
        assert list(renew(begin, [old.hold, new.hold], at(40))) == [old.hold]
        report(begin, ProgressReport(new.hold, at(41), Progress(0.1)), ProgressReport(old.hold, at(32), Progress(0.9)))
        assert task(begin, 1).progress == Progress(0.1)

    def test_looking_for_lost_claims_among_none_finds_none(self, begin: Begin):
        with begin() as work:
            assert list(work.queue.lost([])) == []

    def test_a_report_shows_when_it_started_and_how_far_it_is(self, begin: Begin):
        add_one(begin)
        running = claim_one(begin)
        report(begin, ProgressReport(running.hold, at(1), Progress(0.4, "reading \0")))
        assert task(begin, 1) == running.reported(at(1), Progress(0.4, "reading \0"))
        report(begin, ProgressReport(running.hold, at(1)))
        assert task(begin, 1).progress == Progress(0.4, "reading \0")

    def test_a_report_under_an_older_claim_is_left_alone(self, begin: Begin):
        add_one(begin)
        old = claim_one(begin)
        rescue(begin, at(31))
        new = claim_one(begin, now=at(31))
        report(begin, ProgressReport(old.hold, at(1), Progress(0.9)))
        assert task(begin, 1) == new

    def test_all_that_a_handler_holds_can_be_asked_for(self, begin: Begin):
        add(begin, *[submission()] * 4)
        mine = claim(begin, 2)
        claim(begin, 1, handler="other")
        succeed(begin, mine[0].task)
        with begin() as work:
            assert list(work.queue.held_by(HandlerId("handler-1"))) == [mine[1].task.hold]
            assert list(work.queue.held_by(HandlerId("nobody"))) == []


class TestSettling:
    def test_a_success_is_done_with_its_result(self, begin: Begin):
        add_one(begin)
        running = claim_one(begin).reported(at(1), Progress(1.0))
        assert list(succeed(begin, running, at(2), "[1]")) == []
        assert task(begin, 1) == running.succeed(at(2))
        assert stored(begin, 1).result == "[1]"

    def test_a_failure_with_attempts_left_waits_for_its_backoff(self, begin: Begin):
        add_one(begin, max_attempts=2)
        fail(begin, claim_one(begin))
        after = task(begin, 1)
        assert (after.status, after.run_at, after.attempt) == (Status.WAITING, at(10), 1)
        assert after.error == Error("ValueError", "boom", 1)
        assert ids(claim(begin, now=at(9))) == []
        assert claim_one(begin, now=at(10)).attempt == 2

    def test_the_last_failure_is_final(self, begin: Begin):
        add_one(begin, max_attempts=1)
        fail(begin, claim_one(begin), at(1))
        assert (task(begin, 1).status, task(begin, 1).finished) == (Status.FAILED, at(1))

    def test_an_error_keeps_every_character(self, begin: Begin):
        add_one(begin)
        fail(begin, claim_one(begin), failure=Failure("E\0", "nul \0 % ' \\ 😀", traceback="\0"))
        assert task(begin, 1).error == Error("E\0", "nul \0 % ' \\ 😀", 1)

    def test_a_released_task_keeps_its_place_and_spends_nothing(self, begin: Begin):
        add(begin, submission(), submission())
        settle(begin, Settlement.released(claim_one(begin), NOW))
        after = task(begin, 1)
        assert (after.status, after.attempt, after.losses, after.claims) == (Status.WAITING, 0, 0, 1)
        assert ids(claim(begin)) == [1, 2]

    def test_failed_and_lost_starts_are_recorded(self, begin: Begin):
        add_one(begin, max_attempts=3)
        first = claim_one(begin)
        fail(begin, first, at(1))
        second = claim_one(begin, now=at(20))
        rescue(begin, at(60))
        with begin() as work:
            records = list(work.tasks.attempts(TaskId(1)))
        assert records == [
            Settlement.failed(first, at(1), BOOM, PLAIN, 0).attempt,
            Settlement.lost(second, at(60)).attempt,
        ]

    def test_an_outcome_of_an_older_claim_is_refused(self, begin: Begin):
        add_one(begin)
        old = claim_one(begin)
        rescue(begin, at(31))
        new = claim_one(begin, now=at(31))
        assert list(succeed(begin, old, at(32), '"stale"')) == [1]
        assert stored(begin, 1).task == new
        assert list(succeed(begin, new, at(33), '"fresh"')) == []
        assert stored(begin, 1).result == '"fresh"'

    def test_the_outcome_of_the_present_claim_is_written_where_a_batch_has_an_older_one_too(self, begin: Begin):
        add_one(begin)
        old, new = claimed_twice(begin)
        fresh = Settlement.failed(new, at(33), BOOM, PLAIN, 0)
        assert list(settle(begin, fresh, Settlement.succeeded(old, at(32), '"stale"'))) == [1]
        assert task(begin, 1) == fresh.task
        with begin() as work:
            assert list(work.tasks.attempts(TaskId(1)))[1:] == [fresh.attempt]

    def test_a_stale_handler_cannot_give_back_what_another_holds(self, begin: Begin):
        add_one(begin)
        old = claim_one(begin)
        rescue(begin, at(31))
        new = claim_one(begin, now=at(31))
        assert list(settle(begin, Settlement.released(old, at(32)))) == [1]
        assert task(begin, 1) == new

    def test_an_outcome_after_a_cancel_is_refused(self, begin: Begin):
        add_one(begin)
        running = claim_one(begin)
        save(begin, running.cancel(at(1)))
        assert list(succeed(begin, running, at(1))) == [1]
        assert task(begin, 1).status is Status.CANCELLED

    def test_a_success_is_not_marked_as_failed_later(self, begin: Begin):
        add_one(begin)
        running = claim_one(begin)
        succeed(begin, running, at(1))
        assert list(fail(begin, running, at(2))) == [1]
        assert task(begin, 1).status is Status.DONE
        with begin() as work:
            assert list(work.tasks.attempts(TaskId(1))) == []

    def test_an_outcome_of_a_task_that_is_gone_is_refused(self, begin: Begin):
        add_one(begin)
        assert list(succeed(begin, replace(claim_one(begin), id=TaskId(99)))) == [99]

    @pytest.mark.parametrize("kind", ["succeeded", "failed for good", "failed", "released", "lost"])
    def test_a_settlement_may_be_repeated(self, begin: Begin, kind: str):
        add_one(begin, max_attempts=1 if kind == "failed for good" else 2)
        running = claim_one(begin)
        settlement = {
            "succeeded": lambda: Settlement.succeeded(running, at(1), "1"),
            "failed for good": lambda: Settlement.failed(running, at(1), BOOM, PLAIN, 0),
            "failed": lambda: Settlement.failed(running, at(1), BOOM, PLAIN, 0),
            "released": lambda: Settlement.released(running, at(1)),
            "lost": lambda: Settlement.lost(running, at(1)),
        }[kind]()
        assert list(settle(begin, settlement)) == []
        before = task(begin, 1)
        assert list(settle(begin, settlement)) == []
        assert task(begin, 1) == before

    def test_another_outcome_of_the_same_moment_is_no_repetition(self, begin: Begin):
        add_one(begin)
        running = claim_one(begin)
        fail(begin, running, at(1))
        assert list(fail(begin, running, at(1), Failure("Other", "bang"))) == [1]

    def test_a_refused_outcome_does_not_harm_its_neighbours(self, begin: Begin):
        add(begin, *[submission()] * 3)
        running = [claimed.task for claimed in claim(begin)]
        save(begin, running[1].cancel(NOW))
        assert list(settle(begin, *(Settlement.succeeded(each, NOW, "1") for each in running))) == [2]
        assert [task(begin, id).status for id in (1, 2, 3)] == [Status.DONE, Status.CANCELLED, Status.DONE]

    def test_settling_nothing_is_no_error(self, begin: Begin):
        assert list(settle(begin)) == []


class TestRescuing:
    def test_a_lapsed_lease_gives_the_task_back_without_an_attempt(self, begin: Begin):
        add_one(begin)
        running = claim_one(begin)
        assert list(rescue(begin, at(31))) == [running.lose(at(31))]
        assert (task(begin, 1).status, task(begin, 1).attempt, task(begin, 1).losses) == (Status.WAITING, 0, 1)

    def test_a_task_of_a_handler_that_nobody_knows_any_more_is_taken_back_all_the_same(self, begin: Begin):
        add_one(begin)
        claim_one(begin)
        with begin() as work:
            work.types.withdraw(HandlerId("handler-1"))
            work.commit()
        assert [each.id for each in rescue(begin, at(31))] == [1]

    def test_a_claim_that_had_not_come_to_a_start_is_no_loss(self, begin: Begin):
        add(begin, submission(max_losses=0), submission(max_losses=0))
        claim(begin, starting=1)
        rescue(begin, at(31))
        assert [(task(begin, id).status, task(begin, id).losses) for id in (1, 2)] == [
            (Status.FAILED, 1),
            (Status.WAITING, 0),
        ]
        with begin() as work:
            assert [len(work.tasks.attempts(TaskId(id))) for id in (1, 2)] == [1, 0]

    def test_a_task_that_a_handler_left_is_taken_back_before_its_lease_lapses(self, begin: Begin):
        add(begin, *[submission()] * 4)
        claim(begin, 3)
        claim(begin, 1, handler="other")
        assert [each.id for each in take_back(begin, HandlerId("handler-1"), at(1), limit=2)] == [1, 2]
        assert [each.id for each in take_back(begin, HandlerId("handler-1"), at(1))] == [3]
        assert task(begin, 4).status is Status.RUNNING

    def test_live_leases_do_not_hide_a_lapsed_one(self, begin: Begin):
        add(begin, *[submission()] * 5)
        claim(begin, 4, lease=500)
        claim(begin, 1, lease=10)
        assert [each.id for each in rescue(begin, at(31), limit=1)] == [5]

    def test_a_live_lease_is_never_taken(self, begin: Begin):
        add_one(begin)
        claim_one(begin)
        assert list(rescue(begin, at(30))) == []

    def test_a_task_lost_too_often_fails(self, begin: Begin):
        add_one(begin, max_losses=0)
        claim_one(begin)
        rescue(begin, at(31))
        failed = task(begin, 1)
        assert failed.status is Status.FAILED
        assert failed.error is not None
        assert failed.error.type == "Lost"

    def test_every_lapsed_task_is_found_page_by_page(self, begin: Begin):
        add(begin, *[submission()] * 7)
        claim(begin)
        assert [len(rescue(begin, at(31), limit=3)) for _ in range(4)] == [3, 3, 1, 0]

    def test_the_longest_lapsed_are_found_first(self, begin: Begin):
        add(begin, *[submission()] * 2)
        claim(begin, 1, lease=50)
        claim(begin, 1, lease=40)
        assert [each.id for each in rescue(begin, at(60), limit=1)] == [2]


def test_the_storage_knows_since_when_it_is_up(begin: Begin):
    with begin() as work:
        assert work.queue.up_since().tzinfo is not None
