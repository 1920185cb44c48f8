"""The promises: a correct history breaks none of them, and each is broken by some history."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos.history import BatchChange, BatchHistory, Call, Row
from tests.chaos.history_builder import HistoryBuilder
from tests.chaos.promises import (
    PROMISES,
    Promise,
    answers,
    batches,
    callbacks,
    dependencies,
    durability,
    leases,
    limits,
    outcomes,
    starts,
    submissions,
    violations,
)


def begun(**fields: object) -> HistoryBuilder:
    return HistoryBuilder().submitted(**fields).claimed()


def done(**fields: object) -> HistoryBuilder:
    return begun(**fields).ran().succeeded()


def unrecorded() -> HistoryBuilder:
    history = begun().ran()
    history.row = Row(status="running", claims=1, attempt=1, handler="a-host-11-c0ffee", priority=7)
    return history.succeeded()


def gone() -> HistoryBuilder:
    history = done()
    history.task.is_there = False
    return history


def renewed_by_another() -> HistoryBuilder:
    return begun().wrote("handler-12", handler="a-host-12-c0ffee").ran().succeeded(by=12)


def called_often() -> HistoryBuilder:
    history = begun(callback=True).ran().succeeded(finished=5)
    for _ in range(9):
        history.called()
    return history


def parent_done() -> HistoryBuilder:
    return HistoryBuilder(9).submitted().claimed().ran().succeeded()


def finished_batch() -> BatchHistory:
    """A batch of one task that finished at 1100, and is followed by task 1."""
    changes = [BatchChange(1000, then=1), BatchChange(1100, finished=5, then=1, has_callback=True)]
    return BatchHistory(7, changes, [Call("batch-7-5", 1101, True)], {"done": 1})


CORRECT: dict[str, HistoryBuilder] = {
    "unblocked once its parent is done": HistoryBuilder()
    .blocked(parent_done())
    .later(5)
    .unblocked()
    .claimed()
    .ran()
    .succeeded(),
    "failed by its parent": HistoryBuilder().blocked(HistoryBuilder(9).submitted().cancelled()).failed_by_parent(),
    "unblocked though its parent was cancelled": (
        HistoryBuilder()
        .blocked(HistoryBuilder(9).submitted().cancelled(), rule="run")
        .later(1)
        .unblocked()
        .claimed()
        .ran()
        .succeeded()
    ),
    "unblocked late in a fault": (
        HistoryBuilder()
        .blocked(parent_done())
        .with_fault("kill_janitor", 20, 9)
        .later(9)
        .unblocked()
        .claimed()
        .ran()
        .succeeded()
    ),
    "of a batch": done(batch=7).with_batch(finished_batch()),
    "after a batch": HistoryBuilder()
    .blocked()
    .later(110)
    .unblocked()
    .claimed()
    .ran()
    .succeeded()
    .with_batch(finished_batch()),
    "done": done(),
    "lost, and done elsewhere": begun()
    .ran("a", seconds=None)
    .with_fault("kill_handler", 11)
    .lost()
    .claimed(12)
    .ran("b", 12)
    .succeeded("b", 12),
    "a late end of a run that was lost": begun()
    .ran("a", seconds=9)
    .with_fault("freeze_handler", 11, 9)
    .lost()
    .claimed(12)
    .ran("b", 12)
    .succeeded("b", 12),
    "released unstarted": begun()
    .wrote("handler-11", status="waiting", attempt=0, handler=None)
    .claimed()
    .ran()
    .succeeded(),
    "rescued unstarted without a loss": begun()
    .with_fault("kill_handler", 11)
    .lost(losses=0)
    .claimed(12)
    .ran(by=12)
    .succeeded(by=12),
    "failed and retried": begun()
    .ran("a")
    .failed("a")
    .retried()
    .requested("retry", 200)
    .claimed()
    .ran("b", attempt=2)
    .succeeded("b"),
    "cancelled while it ran": begun().cancelled().requested("cancel", 200),
    "retried without an answer": begun()
    .ran()
    .failed()
    .retried()
    .requested("retry", None)
    .cancelled()
    .requested("cancel", 503),
    "deleted": done().deleted().requested("delete", 204),
    "expired": HistoryBuilder().submitted(expire=1001.0).deleted("janitor-0"),
    "failed for good when lost": begun(max_losses=0)
    .ran(seconds=None)
    .with_fault("kill_handler", 11)
    .wrote("janitor-0", status="failed", losses=1, handler=None, error='["Lost", "", 1]'),
    "called back": begun(callback=True).ran().succeeded(finished=5).called(is_acknowledged=False).called().called(),
    "a claim that a failover lost": begun().ran("a").rewound().claimed(12).ran("b", 12).succeeded("b", 12),
    "lost with its primary": HistoryBuilder().submitted().rewound(),
    "written by an administrator": begun()
    .wrote("administrator", max_losses=0)
    .wrote("janitor-0", status="failed", losses=1, handler=None),
    "submitted while the clock was ahead": HistoryBuilder()
    .with_fault("set_clock_of_server", None, 5)
    .submitted(run_at=1e9)
    .claimed()
    .ran()
    .succeeded(),
    "taken while a session could not write": begun()
    .ran(seconds=None)
    .with_fault("read_only_database", None, 5)
    .lost()
    .claimed(12)
    .ran("b", 12)
    .succeeded("b", 12),
}

CLAIMED_TOGETHER = ("one_at_once", "one_per_user", *["five_a_second"] * 3)
"""The types of other tasks that are claimed at the moment at which the first task is."""

WRONG: dict[Promise, Callable[[], HistoryBuilder]] = {
    durability.a_task_that_was_answered_with_201_is_in_the_database: lambda: HistoryBuilder().requested("submit", 201),
    durability.a_task_stays_until_it_expires_or_is_deleted: gone,
    durability.no_running_task_is_deleted: lambda: begun().deleted().requested("delete", 204),
    durability.every_task_is_finished_in_the_end: begun,
    durability.every_write_is_recorded: unrecorded,
    starts.every_run_has_a_claim_of_its_own: lambda: begun().ran("a").ran("b").succeeded("b"),
    starts.no_run_starts_before_a_claim: lambda: HistoryBuilder().submitted().ran().claimed().failed(),
    starts.a_task_with_max_losses_0_never_starts_twice: lambda: (
        begun(max_losses=0).ran("a").lost(losses=0).claimed().ran("b").succeeded("b")
    ),
    starts.attempts_and_losses_stay_within_their_limits: lambda: (
        begun()
        .ran()
        .wrote("handler-11", status="waiting", handler=None, error='["ValueError", "t", 1]')
        .claimed()
        .ran("b", attempt=2)
        .succeeded("b")
    ),
    starts.an_attempt_is_spent_by_a_claim_and_returned_with_a_loss: lambda: (
        begun().with_fault("kill_handler", 11).lost(attempt=1)
    ),
    starts.no_task_is_claimed_before_its_run_at: lambda: done(run_at=2000.0),
    starts.tasks_of_a_type_are_claimed_in_order: lambda: HistoryBuilder().submitted(priority=1).later(60).claimed(),
    outcomes.a_final_status_changes_only_by_a_requested_retry: lambda: done().wrote("handler-12", status="failed"),
    outcomes.a_task_is_cancelled_only_on_request: lambda: begun().cancelled(),
    outcomes.a_task_is_done_at_most_once: lambda: (
        done().wrote("api", status="waiting").claimed().ran("b").succeeded("b")
    ),
    outcomes.the_claim_rises_by_one_with_each_claim_and_is_never_reset: lambda: begun().lost(claims=0),
    outcomes.only_the_holder_settles_a_start: renewed_by_another,
    outcomes.no_stale_outcome_is_accepted: lambda: (
        begun().ran("a").with_fault("freeze_handler", 11, 9).lost().claimed(12).ran("b", 12).succeeded("a", 11)
    ),
    outcomes.no_outcome_is_accepted_twice: lambda: done().wrote("api", status="waiting").claimed().succeeded(),
    outcomes.no_task_has_the_outcome_of_another_one: lambda: begun(mark="m").ran(mark="other").succeeded(),
    submissions.one_task_at_a_time_has_a_key: lambda: HistoryBuilder().later(5).submitted(key="k"),
    submissions.a_submission_with_a_key_is_answered_with_the_task_of_the_key: lambda: (
        HistoryBuilder().submitted(key="k").requested("submit_keyed", 200, key="other")
    ),
    submissions.a_batch_is_added_as_a_whole: lambda: HistoryBuilder().submitted(mark="1-2:3/0"),
    submissions.a_tick_is_one_task: lambda: HistoryBuilder().submitted(type="ticks", run_at=7.0),
    callbacks.every_finish_is_called: lambda: (
        begun(callback=True).ran().succeeded(finished=5).called(is_acknowledged=False)
    ),
    callbacks.an_acknowledged_call_is_seldom_repeated: called_often,
    leases.a_task_is_taken_only_from_a_handler_with_a_fault: lambda: begun().with_fault("kill_server", None).lost(),
    leases.a_killed_handler_is_noticed_within_its_lease: lambda: (
        begun().with_fault("kill_handler", 11).later(30).lost()
    ),
    leases.no_run_outlives_its_handler: lambda: begun().with_fault("kill_handler", 11).ran().succeeded(),
    leases.a_cancelled_run_ends_soon: lambda: begun().ran(seconds=60).later(-40).cancelled(),
    answers.every_answer_has_a_status_of_the_contract: lambda: done().requested("view", 500),
    answers.an_answered_change_was_written: lambda: done().requested("delete", 204),
    answers.each_retry_is_written_once: lambda: (
        begun().ran().failed().retried().requested("retry", 200).requested("retry", 200)
    ),
    answers.a_viewed_final_status_was_written: lambda: begun().requested("view", 200, "done"),
    answers.a_task_viewed_as_done_stays_done: lambda: (
        done().requested("view", 200, "done").later(1).requested("view", 200, "running")
    ),
    dependencies.a_task_is_unblocked_only_once_its_parents_let_it: lambda: (
        HistoryBuilder().blocked(HistoryBuilder(9).submitted().claimed().ran().failed()).later(30).unblocked()
    ),
    dependencies.a_task_fails_only_by_a_parent_that_has_failed: lambda: (
        HistoryBuilder().blocked(parent_done()).later(30).failed_by_parent()
    ),
    dependencies.no_task_waits_for_parents_that_have_ended: lambda: (
        HistoryBuilder().blocked(parent_done()).later(30).unblocked()
    ),
    batches.a_batch_is_finished_only_while_its_tasks_are: lambda: begun(batch=7).with_batch(finished_batch()),
    batches.a_batch_whose_tasks_have_finished_has_finished_in_the_end: lambda: done(batch=7).with_batch(
        BatchHistory(7, [BatchChange(1000)])
    ),
    batches.the_counts_of_a_batch_are_those_of_its_tasks: lambda: done(batch=7).with_batch(
        replace(finished_batch(), counts={"waiting": 1})
    ),
    batches.every_finish_of_a_batch_is_called: lambda: done(batch=7).with_batch(
        replace(finished_batch(), calls=[Call("batch-7-5", 1200, False)])
    ),
    batches.a_follower_starts_once_when_its_batch_has_finished: lambda: (
        HistoryBuilder().blocked().unblocked().with_batch(finished_batch())
    ),
    limits.no_more_tasks_run_than_the_limit: lambda: begun(type="one_at_once").ran().succeeded(),
    limits.no_more_tasks_of_a_lane_run_than_its_limit: lambda: begun(type="one_per_user").ran().succeeded(),
    limits.no_more_tasks_start_than_the_rate: lambda: begun(type="five_a_second").ran().succeeded(),
}


def broken_by(history: HistoryBuilder, *others: HistoryBuilder) -> set[str]:
    return {violation.promise for violation in violations([history.task], history.circumstances(*others))}


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_history_breaks_no_promise(name: str):
    assert broken_by(CORRECT[name]) == set()


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_each_promise_is_broken_by_some_history(promise: Promise):
    later_task = HistoryBuilder(2).submitted(key="k").later(20).claimed()
    same_tick = HistoryBuilder(3).submitted(type="ticks", run_at=7.0)
    limited = (HistoryBuilder(4 + nth).submitted(type=type).claimed() for nth, type in enumerate(CLAIMED_TOGETHER))
    assert promise.__name__ in broken_by(WRONG[promise](), later_task, same_tick, *limited)


def test_a_rewound_task_may_not_have_the_outcome_of_another_one():
    history = begun(mark="m").ran("a", mark="m").rewound().claimed(12).ran("b", 12, mark="lost").succeeded("b", 12)
    assert broken_by(history) == {"no_task_has_the_outcome_of_another_one"}


def test_a_task_may_be_overtaken_while_a_frozen_process_may_lock_it():
    history = (
        HistoryBuilder().submitted(priority=1).with_fault("freeze_handler", 12, 5).later(60).claimed().ran().succeeded()
    )
    assert broken_by(history, HistoryBuilder(2).submitted().later(20).claimed()) == set()


def test_a_handler_with_the_pid_of_one_that_was_killed_long_ago_runs_tasks():
    history = HistoryBuilder().submitted().with_fault("kill_handler", 11).later(120).claimed().ran().succeeded()
    assert broken_by(history) == set()


@pytest.mark.parametrize(("timeouts", "excused"), [([], False), (["role_timeouts"], True)])
def test_a_slow_line_excuses_a_lost_lease_only_where_sessions_end(timeouts: list[str], excused: bool):
    history = HistoryBuilder().submitted().with_fault("slow_line", 11, 9)
    for timeout in timeouts:
        history = history.with_fault(timeout, None, 9)
    history = history.claimed().ran(seconds=None).later(5).lost()
    assert ("a_task_is_taken_only_from_a_handler_with_a_fault" not in broken_by(history)) is excused
