"""Promises about outcomes: one is recorded exactly once, and is of the start that still held the task."""

from collections.abc import Iterator

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import Change, Hold, Run, TaskHistory

VERBS = frozenset(
    {
        *("submit", "claim", "renew", "succeed", "fail", "lose", "release", "cancel", "retry", "delete"),
        *("unblock", "fail_by_parent", "mark", "keep"),
    }
)


def a_final_status_changes_only_by_a_requested_retry(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.verb not in VERBS:
            yield f"{change.author} changed it from {change.verb} at {change.moment:.3f}"
        if change.verb == "retry" and not change.is_revival and not task.may_be_requested("retry", 200, change.moment):
            yield f"{change.author} retried it without a request"


def a_task_is_cancelled_only_on_request(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.verb == "cancel" and not task.may_be_requested("cancel", 200, change.moment):
            yield f"{change.author} cancelled it at {change.moment:.3f} without a request"


def a_task_is_done_at_most_once(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    times = sum(change.verb == "succeed" for change in task.changes)
    if times > 1:
        yield f"it became done {times} times"


def the_claim_rises_by_one_with_each_claim_and_is_never_reset(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.old and change.new:
            step = change.new.claims - change.old.claims
            if step != (change.verb == "claim"):
                yield f"with {change.verb} at {change.moment:.3f} claim {change.old.claims} became {change.new.claims}"


def only_the_holder_settles_a_start(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.verb in ("succeed", "fail", "renew") and change.old and not _is_by_holder(change, circumstances):
            yield f"{change.author} wrote {change.verb} at {change.moment:.3f}, but {change.old.handler} held it"


def _is_by_holder(change: Change, circumstances: Circumstances) -> bool:
    return change.old is not None and change.old.holder == circumstances.author_pid(change)


def no_stale_outcome_is_accepted(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    """The token in an outcome names a run that started under the claim which the outcome ended."""
    runs = {run.token: run for run in task.runs}
    for hold in task.holds:
        token = _token(hold)
        if token and not (token in runs and _started_under(hold, runs[token])):
            yield f"claim {hold.row.claims} of {hold.row.handler} ended with the outcome of run {token}"


def no_task_has_the_outcome_of_another_one(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """Not even of a lost one that had the same id: the run of the outcome was given the arguments of this task."""
    for token in {change.new.token for change in task.changes if change.new and change.new.token}:
        if circumstances.marks.get(token) != task.mark:
            yield f"its outcome is of run {token}, which had the mark {circumstances.marks.get(token)}"


def no_outcome_is_accepted_twice(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    tokens = [token for token in map(_token, task.holds) if token]
    for token in {token for token in tokens if tokens.count(token) > 1}:
        yield f"the outcome of run {token} ended {tokens.count(token)} claims"


def _started_under(hold: Hold, run: Run) -> bool:
    is_in_time = hold.claimed.moment <= run.started <= hold.until
    return is_in_time and run.supervisor == hold.row.holder and run.attempt == hold.row.attempt


def _token(hold: Hold) -> str | None:
    """The token of the run in the outcome of a claim; None for crashes and timeouts, which have none."""
    change = hold.ended
    if change is None or change.new is None:
        return None
    if change.verb == "succeed":
        return change.new.token or "unknown"
    parts = (change.new.error or "").split('"')
    return parts[3] if change.verb == "fail" and parts[1] in ("ValueError", "Retry") else None


PROMISES = (
    a_final_status_changes_only_by_a_requested_retry,
    a_task_is_cancelled_only_on_request,
    a_task_is_done_at_most_once,
    the_claim_rises_by_one_with_each_claim_and_is_never_reset,
    only_the_holder_settles_a_start,
    no_stale_outcome_is_accepted,
    no_task_has_the_outcome_of_another_one,
    no_outcome_is_accepted_twice,
)
