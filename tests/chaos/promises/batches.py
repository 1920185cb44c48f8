"""Promises about batches: each finishes exactly while all of its tasks have, and what follows it starts once."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import BatchHistory, TaskHistory
from tests.chaos.promises.dependencies import CONCURRENT_SECONDS, status_at

UNFINISHED = ("waiting", "running")


def a_batch_is_finished_only_while_its_tasks_are(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """A retry that is not committed when the batch is finished resumes it by the end of its transaction."""
    if (batch := _batch_of(task, circumstances)) is None:
        return
    for finish in batch.finishes:
        if finish.is_open:
            yield f"batch {batch.id} was finished while it was open"
    for change, after in zip(task.changes, [*task.changes[1:], None], strict=True):
        moment = change.moment + CONCURRENT_SECONDS
        goes_on = change.new is not None and change.new.status in UNFINISHED
        is_over = after is not None and after.moment <= moment
        if goes_on and not is_over and (then := batch.at(moment)) and then.finished:
            yield f"it was {change.new and change.new.status} at {moment:.3f}, when batch {batch.id} was finished"
    for finish in batch.finishes:
        status = status_at(task, finish.moment)
        has_changed = any(abs(each.moment - finish.moment) < CONCURRENT_SECONDS for each in task.changes)
        if status in UNFINISHED and not has_changed:
            yield f"batch {batch.id} was finished at {finish.moment:.3f}, when it was {status}"


def a_batch_whose_tasks_have_finished_has_finished_in_the_end(
    task: TaskHistory, circumstances: Circumstances
) -> Iterator[str]:
    batch = _batch_of(task, circumstances)
    if batch is None or batch.last.is_open or batch.last.finished:
        return
    if all(each.last is None or each.last.is_final for each in circumstances.members[batch.id]):
        yield f"batch {batch.id} has not finished"


def the_counts_of_a_batch_are_those_of_its_tasks(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    batch = _batch_of(task, circumstances)
    if batch is None or batch.counts is None:
        return
    there = Counter(each.last.status if each.last else "deleted" for each in circumstances.members[batch.id])
    if batch.counts != there:
        yield f"batch {batch.id} has the counts {batch.counts}, and its tasks {dict(there)}"


def every_finish_of_a_batch_is_called(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """Unless a retry let it go on before the call."""
    batch = _batch_of(task, circumstances)
    if batch is None or batch.counts is None or not batch.last.has_callback or not batch.last.finished:
        return
    event = f"batch-{batch.id}-{batch.last.finished}"
    if not any(call.event == event and call.is_acknowledged for call in batch.calls):
        yield f"the callback of event {event} was not acknowledged"


def a_follower_starts_once_when_its_batch_has_finished(
    task: TaskHistory, circumstances: Circumstances
) -> Iterator[str]:
    if (batch := _followed_by(task, circumstances)) is None:
        return
    unblocked = [change.moment for change in task.changes if change.verb == "unblock"]
    if len(unblocked) > 1:
        yield f"it was let run {len(unblocked)} times"
    first = min((each.moment for each in batch.finishes), default=float("inf"))
    if unblocked and unblocked[0] < first:
        yield f"it was let run at {unblocked[0]:.3f}, but batch {batch.id} finished at {first:.3f}"
    if task.last and task.last.status == "waiting" and task.last.is_blocked and batch.last.finished:
        yield f"it waits at the end, though batch {batch.id} has finished"


def _batch_of(task: TaskHistory, circumstances: Circumstances) -> BatchHistory | None:
    """The batch of a task; None where one of its tasks was interfered with."""
    first = task.changes[0].new if task.changes else None
    if first is None or first.batch is None:
        return None
    tasks = circumstances.members.get(first.batch, ())
    return circumstances.batch_histories.get(first.batch) if _are_whole(tasks) else None


def _followed_by(task: TaskHistory, circumstances: Circumstances) -> BatchHistory | None:
    """The batch that the task follows; None where one of its tasks was interfered with."""
    for batch in circumstances.batch_histories.values():
        if batch.last.then == task.id and _are_whole(circumstances.members.get(batch.id, ())):
            return batch
    return None


def _are_whole(tasks: Sequence[TaskHistory]) -> bool:
    return not any(task.is_rewound or task.is_administered for task in tasks)


PROMISES = (
    a_batch_is_finished_only_while_its_tasks_are,
    a_batch_whose_tasks_have_finished_has_finished_in_the_end,
    the_counts_of_a_batch_are_those_of_its_tasks,
    every_finish_of_a_batch_is_called,
    a_follower_starts_once_when_its_batch_has_finished,
)
