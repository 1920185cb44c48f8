"""Promises about tasks that wait for others: each goes on exactly if, and soon after, its parents let it."""

from collections.abc import Iterator, Sequence

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import Change, Row, TaskHistory

CONCURRENT_SECONDS = 5.0
"""Seconds that a transaction may take: a parent that was retried so shortly before may not have seemed so."""
MAX_WAIT_SECONDS = 2.0
"""Seconds for which a task waits though its parents have ended."""
HAVE_FAILED = ("failed", "cancelled", "gone")


def a_task_is_unblocked_only_once_its_parents_let_it(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    parents = known_parents(task, circumstances)
    for change in task.changes if parents else ():
        wrong = [
            f"task {parent.id} was {status}"
            for parent in parents
            if change.verb == "unblock"
            and not _lets_run(change, status := status_at(parent, change.moment))
            and not _was_retried(parent, change.moment)
        ]
        if wrong:
            yield f"it was unblocked at {change.moment:.3f}, when {', '.join(wrong)}"


def a_task_fails_only_by_a_parent_that_has_failed(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    parents = known_parents(task, circumstances)
    for change in task.changes if parents else ():
        if change.verb == "fail_by_parent" and not any(
            status_at(parent, change.moment) in HAVE_FAILED or _was_retried(parent, change.moment) for parent in parents
        ):
            yield f"it failed by a parent at {change.moment:.3f}, when none had failed"


def no_task_waits_for_parents_that_have_ended(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """At most for two seconds where no fault is near, and not at all in the end."""
    parents = known_parents(task, circumstances)
    for since, until, row in _waits(task) if parents else ():
        ready = max(since, _decided_at(row, parents, until))
        late = ready + MAX_WAIT_SECONDS
        if until == float("inf") and ready < until:
            yield f"it waits at the end, though its parents had let it go on at {ready:.3f}"
        elif until > late and not any(
            each.since <= until and ready <= each.until + circumstances.lease for each in circumstances.faults
        ):
            yield f"it waited until {until:.3f}, though its parents had let it go on at {ready:.3f}"


def known_parents(task: TaskHistory, circumstances: Circumstances) -> Sequence[TaskHistory]:
    """The parents of a task; none where one of them was interfered with, or has the id of another."""
    ids = circumstances.parents.get(task.id, frozenset())
    found = [circumstances.tasks.get(id, ()) for id in ids]
    if any(len(each) != 1 or each[0].is_rewound for each in found):
        return []
    return [each[0] for each in found]


def status_at(task: TaskHistory, moment: float) -> str:
    """The status of a task then; `gone` before it was submitted, and after its deletion."""
    row = task.at(moment)
    return row.status if row else "gone"


def _lets_run(change: Change, status: str) -> bool:
    assert change.old
    return status == "done" or (change.old.if_parent_failed == "run" and status in HAVE_FAILED)


def _was_retried(task: TaskHistory, moment: float) -> bool:
    """Whether it was retried shortly before, or goes on by a transaction that had not been committed."""
    return any(
        change.verb == "retry" and moment - CONCURRENT_SECONDS <= change.moment <= moment for change in task.changes
    )


def _waits(task: TaskHistory) -> Iterator[tuple[float, float, Row]]:
    """The times in which a task waited for its parents, and what it was then."""
    since = None
    for change in task.changes:
        waits = change.new is not None and change.new.is_blocked and change.new.status == "waiting"
        if waits and since is None:
            since = change.moment
        elif not waits and since is not None:
            assert change.old
            yield since, change.moment, change.old
            since = None
    if since is not None and task.last:
        yield since, float("inf"), task.last


def _decided_at(row: Row, parents: Sequence[TaskHistory], until: float) -> float:
    """The moment since which the parents have decided on the task, without a break until the end of its wait."""
    moments = sorted({change.moment for parent in parents for change in parent.changes if change.moment < until})
    decided = float("inf")
    for moment in moments:
        is_decided = _is_decided(row, [status_at(parent, moment) for parent in parents])
        decided = min(decided, moment) if is_decided else float("inf")
    return decided


def _is_decided(row: Row, statuses: Sequence[str]) -> bool:
    if row.if_parent_failed != "run" and any(status in HAVE_FAILED for status in statuses):
        return True
    return not any(status in ("waiting", "running") for status in statuses)


PROMISES = (
    a_task_is_unblocked_only_once_its_parents_let_it,
    a_task_fails_only_by_a_parent_that_has_failed,
    no_task_waits_for_parents_that_have_ended,
)
