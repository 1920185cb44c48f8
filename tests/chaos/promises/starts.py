"""Promises about starts: how often a task starts, and when."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.circumstances import Circumstances, rank
from tests.chaos.history import Change, Row, TaskHistory
from tests.chaos.promises.durability import CLOCK_DIFFERENCE_SECONDS

MAX_OVERTAKEN_SECONDS = 3.0
"""Seconds that a task may wait while later ones of its type are claimed: it may have been claimed and released."""


def every_run_has_a_claim_of_its_own(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    starts = Counter(run.supervisor for run in task.runs)
    claims = Counter(hold.row.holder for hold in task.holds)
    for supervisor, number in starts.items():
        if number > claims[supervisor]:
            yield f"handler {supervisor} started it {number} times, but claimed it {claims[supervisor]} times"


def no_run_starts_before_a_claim(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for run in task.runs:
        if not any(hold.row.holder == run.supervisor and hold.claimed.moment <= run.started for hold in task.holds):
            yield f"run {run.token} of handler {run.supervisor} started before any claim by it"


def a_task_with_max_losses_0_never_starts_twice(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    """Checked for tasks with one attempt. Every requested retry allows one start more."""
    first = next((change.new for change in task.changes), None)
    allowed = 1 + task.retries
    if first and first.max_losses == 0 and first.max_attempts == 1 and len(task.runs) > allowed:
        yield f"it started {len(task.runs)} times, with {task.retries} retries"


def attempts_and_losses_stay_within_their_limits(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for row in (change.new for change in task.changes if change.new):
        if not 0 <= row.attempt <= row.max_attempts:
            yield f"attempt {row.attempt} of {row.max_attempts}"
        if not 0 <= row.losses <= row.max_losses + 1:
            yield f"{row.losses} losses of {row.max_losses}"


def an_attempt_is_spent_by_a_claim_and_returned_with_a_loss(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.old and change.new:
            step = change.new.attempt - change.old.attempt
            if step not in _steps(change.verb, change.new):
                yield f"with {change.verb} at {change.moment:.3f} attempt {change.old.attempt} changed by {step}"


def _steps(verb: str, new: Row) -> tuple[int, ...]:
    if verb == "lose" and new.status == "failed":
        return (0, -1)
    return ({"claim": 1, "lose": -1, "release": -1}.get(verb, 0),)


def no_task_is_claimed_before_its_run_at(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    for hold in task.holds:
        is_clock_steady = circumstances.is_clock_steady(task.changes[0].moment, hold.claimed.moment)
        if is_clock_steady and hold.claimed.moment < hold.row.run_at - CLOCK_DIFFERENCE_SECONDS:
            yield f"it was claimed {hold.row.run_at - hold.claimed.moment:.1f} s too early"


def tasks_of_a_type_are_claimed_in_order(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """By priority, then by `run_at` and id: no task is overtaken for long."""
    for before, change in zip(task.changes, task.changes[1:], strict=False):
        is_clock_steady = circumstances.is_clock_steady(task.changes[0].moment, change.moment)
        if change.verb != "claim" or not is_clock_steady:
            continue
        if overtakers := _overtakers(task.id, before, change, circumstances):
            yield f"{overtakers} later tasks were claimed {MAX_OVERTAKEN_SECONDS:g} s or more after it was due"


def _overtakers(id: int, before: Change, claim: Change, circumstances: Circumstances) -> int:
    row = claim.old
    assert row
    due, claimed = max(before.moment, row.run_at) + MAX_OVERTAKEN_SECONDS, claim.moment - CLOCK_DIFFERENCE_SECONDS
    if due >= claimed or not circumstances.is_responsive(due - MAX_OVERTAKEN_SECONDS, claimed):
        return 0
    own = rank(id, row)
    return sum(other > own for _, other in circumstances.claims_between(row.type, due, claimed))


PROMISES = (
    every_run_has_a_claim_of_its_own,
    no_run_starts_before_a_claim,
    a_task_with_max_losses_0_never_starts_twice,
    attempts_and_losses_stay_within_their_limits,
    an_attempt_is_spent_by_a_claim_and_returned_with_a_loss,
    no_task_is_claimed_before_its_run_at,
    tasks_of_a_type_are_claimed_in_order,
)
