"""The transitions of a task: the statuses that a verb may start from, and the task after it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import product

import pytest

from domain.errors import InvalidTransition
from domain.failure import LOST, Error, Failure
from domain.ids import Claim, HandlerId, Hold, TaskId
from domain.lease import Lease
from domain.progress import Progress
from domain.settlement import Attempt, Outcome, Settlement
from domain.status import FINAL, RULES, Status, Verb
from domain.task import Task
from tests.steps import BOOM, NOW, PLAIN, at, submission

LEASE = Lease.granted(HandlerId("handler-1"), NOW, 30)
WAITING = submission(max_attempts=3).registered(TaskId(7))
RUNNING = WAITING.claim(LEASE, NOW)
CLAIMED = WAITING.claim(LEASE)
STANDING = {
    Status.WAITING: WAITING,
    Status.RUNNING: RUNNING,
    Status.DONE: RUNNING.succeed(at(1)),
    Status.FAILED: RUNNING.fail(at(1), replace(BOOM, retriable=False), PLAIN, 0),
    Status.CANCELLED: RUNNING.cancel(at(1)),
}
VERBS: dict[Verb, Callable[[Task], object]] = {
    Verb.CLAIM: lambda task: task.claim(LEASE),
    Verb.SUCCEED: lambda task: task.succeed(NOW),
    Verb.FAIL: lambda task: task.fail(NOW, BOOM, PLAIN, 0),
    Verb.LOSE: lambda task: task.lose(NOW),
    Verb.RELEASE: lambda task: task.release(NOW),
    Verb.CANCEL: lambda task: task.cancel(NOW),
    Verb.SET_ASIDE: lambda task: task.set_aside(NOW, "why"),
    Verb.RETRY: lambda task: task.retry(NOW, 1),
    Verb.UNBLOCK: lambda task: task.unblock(NOW),
    Verb.FAIL_BY_PARENT: lambda task: task.fail_by_parent(NOW, "why"),
    Verb.DELETE: lambda task: task.check_deletable(),
}
ALLOWED = [pair for pair in product(Verb, Status) if pair[1] in RULES[pair[0]]]
REFUSED = [pair for pair in product(Verb, Status) if pair[1] not in RULES[pair[0]]]


class TestRules:
    def test_every_verb_has_its_rule_and_every_rule_its_statuses(self):
        assert set(RULES) == set(Verb) == set(VERBS)
        assert all(RULES[verb] and RULES[verb] <= set(Status) for verb in Verb)

    def test_each_example_task_has_the_status_that_it_is_named_by(self):
        assert {status: task.status for status, task in STANDING.items()} == {status: status for status in Status}

    @pytest.mark.parametrize(("verb", "status"), ALLOWED)
    def test_a_verb_starts_from_where_its_rule_allows(self, verb: Verb, status: Status):
        VERBS[verb](STANDING[status])

    @pytest.mark.parametrize(("verb", "status"), REFUSED)
    def test_a_verb_from_another_status_is_refused_with_the_allowed_ones(self, verb: Verb, status: Status):
        with pytest.raises(InvalidTransition) as refusal:
            VERBS[verb](STANDING[status])
        allowed = " or ".join(sorted(RULES[verb]))
        assert str(refusal.value) == f"task 7 is {status}: {verb} accepts only a task that is {allowed}"

    def test_only_a_retry_or_a_delete_follows_a_final_status(self):
        assert {verb for verb in Verb if RULES[verb] & FINAL} == {Verb.RETRY, Verb.DELETE}
        assert {status for status in Status if status.is_final} == FINAL

    def test_a_done_task_cannot_be_retried(self):
        assert Status.DONE not in RULES[Verb.RETRY]

    def test_a_running_task_cannot_be_deleted(self):
        assert set(Status) - RULES[Verb.DELETE] == {Status.RUNNING}


class TestClaim:
    def test_a_claimed_task_runs_under_the_lease_with_one_more_attempt_and_claim(self):
        assert replace(WAITING, status=Status.RUNNING, attempt=1, claims=1, lease=LEASE) == CLAIMED
        assert replace(CLAIMED, started=NOW) == RUNNING
        assert RUNNING.hold == Hold(TaskId(7), Claim(1), HandlerId("handler-1"))

    def test_the_last_error_is_shown_while_another_attempt_runs(self):
        again = RUNNING.fail(at(1), BOOM, PLAIN, 0).claim(LEASE)
        assert (again.error, again.attempt, again.claims) == (Error("ValueError", "boom", 1), 2, 2)


class TestReport:
    def test_a_report_says_when_it_started_and_how_far_it_is(self):
        reported = RUNNING.reported(at(1), Progress(0.5, "half"))
        assert (reported.started, reported.progress) == (at(1), Progress(0.5, "half"))
        assert reported.reported(at(1), None).progress == Progress(0.5, "half")


class TestSucceed:
    def test_the_progress_of_a_done_task_is_1_if_its_function_has_reported_any(self):
        assert RUNNING.succeed(at(5)).progress is None
        reported = RUNNING.reported(at(1), Progress(0.98, "writing"))
        assert reported.succeed(at(5)).progress == Progress(1.0, "writing")

    def test_a_succeeded_task_is_done_without_lease_or_error(self):
        again = RUNNING.fail(at(1), BOOM, PLAIN, 0).claim(LEASE)
        done = again.succeed(at(5))
        assert (done.status, done.finished, done.lease, done.error) == (Status.DONE, at(5), None, None)


class TestFail:
    def test_a_failed_task_with_attempts_left_waits_for_its_backoff(self):
        waits = RUNNING.reported(NOW, Progress(1)).fail(at(1), BOOM, PLAIN, 0)
        assert waits == replace(
            WAITING, attempt=1, claims=1, run_at=at(11), expire=at(611), error=Error("ValueError", "boom", 1)
        )

    def test_the_last_attempt_fails_for_good(self):
        failed = replace(RUNNING, attempt=3).fail(at(1), BOOM, PLAIN, 0)
        assert (failed.status, failed.finished, failed.lease) == (Status.FAILED, at(1), None)
        assert failed.error == Error("ValueError", "boom", 3)

    def test_a_failure_that_is_not_retriable_is_final(self):
        assert RUNNING.fail(at(1), replace(BOOM, retriable=False), PLAIN, 0).status is Status.FAILED

    @pytest.mark.parametrize(("delay", "seconds"), [(0, 0), (2.5, 2.5), (-5, 0)])
    def test_a_requested_delay_replaces_the_backoff(self, delay: float, seconds: float):
        assert RUNNING.fail(at(1), replace(BOOM, delay=delay), PLAIN, 0).run_at == at(1 + seconds)

    @pytest.mark.parametrize("delay", [1e12, 1e300, float("inf")])
    def test_a_delay_beyond_all_time_ends_in_the_year_9999(self, delay: float):
        assert RUNNING.fail(at(1), replace(BOOM, delay=delay), PLAIN, 0).run_at.year == 9999


class TestLose:
    def test_a_lost_task_waits_with_its_old_run_at_and_attempt(self):
        assert RUNNING.lose(at(31)) == replace(WAITING, claims=1, losses=1)

    def test_a_task_may_be_lost_as_often_as_it_allows(self):
        task = replace(WAITING, max_losses=2)
        for _ in range(2):
            task = task.claim(LEASE, NOW).lose(at(31))
        failed = task.claim(LEASE, NOW).lose(at(31))
        assert (failed.status, failed.losses, failed.finished, failed.claims) == (Status.FAILED, 3, at(31), 3)
        assert failed.error is not None
        assert (failed.error.type, failed.error.attempt) == (LOST, 1)

    def test_a_task_that_never_starts_twice_fails_when_it_is_lost(self):
        assert replace(RUNNING, max_losses=0).lose(at(31)).status is Status.FAILED

    @pytest.mark.parametrize("max_losses", [0, 3])
    def test_a_claim_that_never_came_to_a_start_is_no_loss(self, max_losses: int):
        claimed = replace(CLAIMED, max_losses=max_losses)
        assert claimed.lose(at(31)) == claimed.release(at(31))
        assert Settlement.lost(claimed, at(31)) == Settlement.released(claimed, at(31))


class TestStartingOnRecord:
    def test_a_task_that_may_never_start_twice_starts_on_record(self):
        assert replace(CLAIMED, max_losses=0).must_start_on_record

    def test_the_first_claim_of_another_task_need_not_start_on_record(self):
        assert not CLAIMED.must_start_on_record

    def test_a_claim_after_an_unrecorded_one_must_start_on_record(self):
        assert CLAIMED.lose(at(31)).claim(LEASE).must_start_on_record

    def test_a_claim_after_counted_starts_need_not_start_on_record(self):
        lost = RUNNING.lose(at(31)).claim(LEASE, NOW)
        assert not lost.fail(at(32), BOOM, PLAIN, 0).claim(LEASE).must_start_on_record

    def test_a_task_recorded_as_started_may_start(self):
        assert not replace(RUNNING, max_losses=0).must_start_on_record


class TestRelease:
    def test_a_release_spends_only_the_claim(self):
        assert RUNNING.release(NOW) == replace(WAITING, claims=1)

    def test_a_task_released_in_its_second_attempt_keeps_the_first(self):
        waits = RUNNING.fail(at(1), BOOM, PLAIN, 0)
        assert waits.claim(LEASE).release(at(12)) == replace(waits, claims=2)

    @pytest.mark.parametrize("verb", [Task.release, Task.lose])
    def test_a_task_returned_after_its_expire_has_its_whole_ttl_again(self, verb: Callable[[Task, datetime], Task]):
        assert verb(RUNNING, at(599)).expire == WAITING.expire == at(600)
        assert verb(RUNNING, at(5000)).expire == at(5600)


class TestReroute:
    def test_a_reroute_spends_only_the_claim_and_delays_the_task(self):
        assert RUNNING.reroute(at(5), 0.75) == replace(WAITING, claims=1, run_at=at(5.75), expire=at(605))

    def test_a_task_rerouted_in_its_second_attempt_keeps_the_first(self):
        waits = RUNNING.fail(at(1), BOOM, PLAIN, 0)
        rerouted = waits.claim(LEASE, at(12)).reroute(at(12), 1)
        assert rerouted == replace(waits, claims=2, run_at=at(13), expire=at(613))

    def test_idle_claims_count_claims_without_a_start(self):
        assert RUNNING.idle_claims == 0
        assert RUNNING.reroute(at(1), 1).claim(LEASE).idle_claims == 1
        assert RUNNING.fail(at(1), BOOM, PLAIN, 0).claim(LEASE).idle_claims == 0
        assert RUNNING.lose(at(1)).claim(LEASE).idle_claims == 0

    def test_a_task_rerouted_after_its_expire_has_its_whole_ttl_again(self):
        assert RUNNING.reroute(at(5000), 1).expire == at(5601)

    @pytest.mark.parametrize("status", [status for status in Status if status is not Status.RUNNING])
    def test_a_task_that_does_not_run_cannot_be_rerouted(self, status: Status):
        with pytest.raises(InvalidTransition):
            STANDING[status].reroute(NOW, 1)


class TestCancel:
    def test_cancel_ends_a_waiting_or_running_task(self):
        for task in (WAITING, RUNNING):
            cancelled = task.cancel(at(2))
            assert (cancelled.status, cancelled.finished, cancelled.lease) == (Status.CANCELLED, at(2), None)
            assert (cancelled.attempt, cancelled.claims) == (task.attempt, task.claims)


class TestRetry:
    def test_a_retried_task_waits_with_more_attempts_and_no_losses(self):
        failed = replace(RUNNING, attempt=3, losses=2).fail(at(1), BOOM, PLAIN, 0)
        again = failed.retry(at(50), 2)
        assert (again.status, again.run_at, again.finished) == (Status.WAITING, at(50), None)
        assert (again.attempt, again.max_attempts, again.losses, again.claims) == (3, 5, 0, 1)
        assert again.error == failed.error

    def test_a_task_cancelled_before_it_ran_has_all_its_attempts(self):
        assert WAITING.cancel(at(1)).retry(at(2), 3) == replace(WAITING, run_at=at(2), expire=at(602))


class TestSettlement:
    def test_a_success_carries_its_result_and_keeps_no_record(self):
        assert Settlement.succeeded(RUNNING, at(1), "[1]") == Settlement(
            hold=RUNNING.hold, task=RUNNING.succeed(at(1)), result="[1]"
        )

    def test_a_failure_keeps_the_record_of_its_start(self):
        started = RUNNING.reported(at(0.5), None)
        settlement = Settlement.failed(started, at(1), BOOM, PLAIN, 0)
        assert settlement.task == started.fail(at(1), BOOM, PLAIN, 0)
        assert settlement.result is None
        assert settlement.attempt == Attempt(
            claim=Claim(1),
            attempt=1,
            outcome=Outcome.FAILED,
            started=at(0.5),
            ended=at(1),
            error="ValueError: boom",
            traceback=BOOM.traceback,
        )

    def test_a_loss_names_the_handler_that_is_gone(self):
        settlement = Settlement.lost(RUNNING, at(31))
        assert settlement.task == RUNNING.lose(at(31))
        assert settlement.attempt is not None
        assert (settlement.attempt.outcome, settlement.attempt.error) == ("lost", "handler handler-1 was lost")

    def test_a_release_keeps_no_record(self):
        assert Settlement.released(RUNNING, at(1)) == Settlement(hold=RUNNING.hold, task=RUNNING.release(at(1)))
        assert Settlement.rerouted(RUNNING, at(1), 2) == Settlement(hold=RUNNING.hold, task=RUNNING.reroute(at(1), 2))

    @pytest.mark.parametrize("status", [status for status in Status if status is not Status.RUNNING])
    def test_a_task_that_does_not_run_cannot_be_settled(self, status: Status):
        task = STANDING[status]
        for settle in (
            lambda: Settlement.succeeded(task, NOW, "1"),
            lambda: Settlement.failed(task, NOW, Failure("E", ""), PLAIN, 0),
            lambda: Settlement.lost(task, NOW),
            lambda: Settlement.released(task, NOW),
        ):
            with pytest.raises(InvalidTransition):
                settle()
