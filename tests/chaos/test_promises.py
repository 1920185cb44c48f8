"""The checker: it finds nothing in a history that is as it should be, and each promise is broken by some story."""

from collections.abc import Callable

import pytest

from tests.chaos.history import Row
from tests.chaos.promises import PROMISES, Promise, answering, holding, keeping, settling, starting, violations
from tests.chaos.story import Story


def begun(**fields: object) -> Story:
    return Story().submitted(**fields).claimed()


def done(**fields: object) -> Story:
    return begun(**fields).ran().succeeded()


def unrecorded() -> Story:
    story = begun().ran()
    story.row = Row(status="running", claims=1, attempt=1, handler="a-host-11-c0ffee", priority=7)
    return story.succeeded()


def gone() -> Story:
    story = done()
    story.task.is_there = False
    return story


def renewed_by_another() -> Story:
    return begun().wrote("handler-12", handler="a-host-12-c0ffee").ran().succeeded(by=12)


GOOD: dict[str, Story] = {
    "done": done(),
    "lost, and done elsewhere": begun()
    .ran("a", seconds=None)
    .disturbed("kill_handler", 11)
    .lost()
    .claimed(12)
    .ran("b", 12)
    .succeeded("b", 12),
    "a late end of a run that was lost": begun()
    .ran("a", seconds=9)
    .disturbed("freeze_handler", 11, 9)
    .lost()
    .claimed(12)
    .ran("b", 12)
    .succeeded("b", 12),
    "given back unstarted": begun()
    .wrote("handler-11", status="waiting", attempt=0, handler=None)
    .claimed()
    .ran()
    .succeeded(),
    "unstarted and taken back without a loss": begun()
    .disturbed("kill_handler", 11)
    .lost(losses=0)
    .claimed(12)
    .ran(by=12)
    .succeeded(by=12),
    "failed and retried": begun()
    .ran("a")
    .failed("a")
    .retried()
    .asked("retry", 200)
    .claimed()
    .ran("b", attempt=2)
    .succeeded("b"),
    "cancelled while it ran": begun().cancelled().asked("cancel", 200),
    "retried without an answer": begun().ran().failed().retried().asked("retry", None).cancelled().asked("cancel", 503),
    "deleted": done().deleted().asked("delete", 204),
    "expired": Story().submitted(expire=1001.0).deleted("janitor-0"),
    "failed for good when lost": begun(max_losses=0)
    .ran(seconds=None)
    .disturbed("kill_handler", 11)
    .wrote("janitor-0", status="failed", losses=1, handler=None, error='["Lost", "", 1]'),
}

BAD: dict[Promise, Callable[[], Story]] = {
    keeping.a_task_that_was_answered_with_201_is_in_the_database: lambda: Story().asked("submit", 201),
    keeping.a_task_stays_until_it_expires_or_somebody_deletes_it: gone,
    keeping.no_running_task_is_deleted: lambda: begun().deleted().asked("delete", 204),
    keeping.every_task_comes_to_an_end: begun,
    keeping.nothing_is_written_but_what_is_recorded: unrecorded,
    starting.every_start_has_a_claim_of_its_own: lambda: begun().ran("a").ran("b").succeeded("b"),
    starting.nothing_starts_before_it_is_claimed: lambda: Story().submitted().ran().claimed().failed(),
    starting.a_task_with_max_losses_0_never_starts_twice: lambda: (
        begun(max_losses=0).ran("a").lost(losses=0).claimed().ran("b").succeeded("b")
    ),
    starting.attempts_and_losses_stay_within_their_limits: lambda: (
        begun()
        .ran()
        .wrote("handler-11", status="waiting", handler=None, error='["ValueError", "t", 1]')
        .claimed()
        .ran("b", attempt=2)
        .succeeded("b")
    ),
    starting.an_attempt_is_spent_by_a_claim_and_returned_with_a_loss: lambda: (
        begun().disturbed("kill_handler", 11).lost(attempt=1)
    ),
    starting.no_task_starts_before_its_time: lambda: done(run_at=2000.0),
    starting.the_first_of_its_type_is_taken_first: lambda: Story().submitted(priority=1).later(60).claimed(),
    settling.final_is_final_unless_somebody_asks_for_a_retry: lambda: done().wrote("handler-12", status="failed"),
    settling.it_is_cancelled_only_where_somebody_asks: lambda: begun().cancelled(),
    settling.it_is_done_at_most_once: lambda: done().wrote("api", status="waiting").claimed().ran("b").succeeded("b"),
    settling.the_claim_rises_by_one_with_each_start_and_nothing_resets_it: lambda: begun().lost(claims=0),
    settling.only_the_holder_says_how_a_start_ended: renewed_by_another,
    settling.no_stale_outcome_is_accepted: lambda: (
        begun().ran("a").disturbed("freeze_handler", 11, 9).lost().claimed(12).ran("b", 12).succeeded("a", 11)
    ),
    settling.no_outcome_is_accepted_twice: lambda: done().wrote("api", status="waiting").claimed().succeeded(),
    holding.a_task_is_taken_only_from_a_handler_that_was_disturbed: lambda: (
        begun().disturbed("kill_server", None).lost()
    ),
    holding.a_killed_handler_is_noticed_within_its_lease: lambda: (
        begun().disturbed("kill_handler", 11).later(30).lost()
    ),
    holding.nothing_runs_on_without_its_handler: lambda: begun().disturbed("kill_handler", 11).ran().succeeded(),
    holding.what_is_cancelled_is_ended_soon: lambda: begun().ran(seconds=60).later(-40).cancelled(),
    answering.every_answer_is_one_that_the_contract_has: lambda: done().asked("view", 500),
    answering.what_was_answered_has_happened: lambda: done().asked("delete", 204),
    answering.each_retry_starts_it_over_once: lambda: (
        begun().ran().failed().retried().asked("retry", 200).asked("retry", 200)
    ),
    answering.what_a_client_saw_was_written: lambda: begun().asked("view", 200, "done"),
    answering.what_was_seen_as_done_is_done_from_then_on: lambda: (
        done().asked("view", 200, "done").later(1).asked("view", 200, "running")
    ),
}


def broken_by(story: Story, *others: Story) -> set[str]:
    return {violation.promise for violation in violations([story.task], story.circumstances(*others))}


@pytest.mark.parametrize("name", GOOD)
def test_a_history_that_is_as_it_should_be_breaks_no_promise(name: str):
    assert broken_by(GOOD[name]) == set()


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_each_promise_is_broken_by_some_history(promise: Promise):
    later_ones = Story(2).submitted().later(20).claimed()
    assert promise.__name__ in broken_by(BAD[promise](), later_ones)


def test_who_was_overtaken_while_others_were_silent_may_have_been_locked():
    story = Story().submitted(priority=1).disturbed("freeze_handler", 12, 5).later(60).claimed().ran().succeeded()
    assert broken_by(story, Story(2).submitted().later(20).claimed()) == set()
