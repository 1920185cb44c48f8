"""The outcome is recorded exactly once, and it is that of the start that still held the task."""

from collections.abc import Iterator

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import Change, Hold, Run, TaskHistory

LIFE = frozenset({"submit", "claim", "keep", "succeed", "fail", "lose", "release", "cancel", "retry", "delete"})


def final_is_final_unless_somebody_asks_for_a_retry(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.verb not in LIFE:
            yield f"{change.author} took it from {change.verb} at {change.moment:.3f}"
        if change.verb == "retry" and not task.may_have_asked("retry", 200, change.moment):
            yield f"{change.author} had it wait again, and nobody had asked"


def it_is_cancelled_only_where_somebody_asks(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.verb == "cancel" and not task.may_have_asked("cancel", 200, change.moment):
            yield f"{change.author} cancelled it at {change.moment:.3f}"


def it_is_done_at_most_once(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    times = sum(change.verb == "succeed" for change in task.changes)
    if times > 1:
        yield f"it was done {times} times"


def the_claim_rises_by_one_with_each_start_and_nothing_resets_it(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.old and change.new:
            step = change.new.claims - change.old.claims
            if step != (change.verb == "claim"):
                yield f"with {change.verb} at {change.moment:.3f} claim {change.old.claims} became {change.new.claims}"


def only_the_holder_says_how_a_start_ended(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.verb in ("succeed", "fail", "keep") and change.old and not _is_holders(change, circumstances):
            yield f"{change.author} wrote {change.verb} at {change.moment:.3f}, and {change.old.handler} held it"


def _is_holders(change: Change, circumstances: Circumstances) -> bool:
    return change.old is not None and change.old.holder == circumstances.wrote(change)


def no_stale_outcome_is_accepted(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    """A result, or the message of an exception, holds the token of a run: one that began under the claim it ended."""
    runs = {run.token: run for run in task.runs}
    for hold in task.holds:
        token = _token(hold)
        if token and not (token in runs and _is_of(runs[token], hold)):
            yield f"claim {hold.row.claims} of {hold.row.handler} ended with the outcome of run {token}"


def no_outcome_is_accepted_twice(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    tokens = [token for token in map(_token, task.holds) if token]
    for token in {token for token in tokens if tokens.count(token) > 1}:
        yield f"the outcome of run {token} ended {tokens.count(token)} claims"


def _is_of(run: Run, hold: Hold) -> bool:
    is_in_time = hold.claimed.moment <= run.started <= hold.until
    return is_in_time and run.supervisor == hold.row.holder and run.attempt == hold.row.attempt


def _token(hold: Hold) -> str | None:
    """What the outcome of the claim says of its run; crashes and timeouts say nothing."""
    change = hold.ended
    if change is None or change.new is None:
        return None
    if change.verb == "succeed":
        return change.new.token or "unknown"
    named = (change.new.error or "").split('"')
    return named[3] if change.verb == "fail" and named[1] in ("ValueError", "Retry") else None


PROMISES = (
    final_is_final_unless_somebody_asks_for_a_retry,
    it_is_cancelled_only_where_somebody_asks,
    it_is_done_at_most_once,
    the_claim_rises_by_one_with_each_start_and_nothing_resets_it,
    only_the_holder_says_how_a_start_ended,
    no_stale_outcome_is_accepted,
    no_outcome_is_accepted_twice,
)
