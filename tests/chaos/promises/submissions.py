"""Promises about what adds tasks: a key, a request for many, and a tick, each of which adds what it says once."""

from collections.abc import Iterator

from tests.chaos.circumstances import Circumstances, batch, tick
from tests.chaos.history import TaskHistory


def one_task_at_a_time_has_a_key(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    first = task.changes[0] if task.changes else None
    if first and first.new and first.new.key:
        since = first.moment
        if others := [each for each in circumstances.keys.get(first.new.key, ()) if each[0] < since < each[1]]:
            yield f"it was added at {since:.3f} with the key {first.new.key}, as was another at {others[0][0]:.3f}"


def a_submission_with_a_key_is_answered_with_the_task_of_the_key(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    keys = {change.new.key for change in (*task.changes, *task.lost) if change.new}
    for request in task.requests_answered("submit_keyed", 200, 201):
        if request.key not in keys:
            yield f"it was the answer at {request.answered:.3f} for the key {request.key}"


def a_batch_is_added_as_a_whole(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    if found := batch(task.mark):
        name, size = found
        if circumstances.batches.get(name, 0) != size:
            yield f"it was added with {circumstances.batches.get(name, 0)} of the {size} tasks of batch {name}"


def a_tick_is_one_task(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    first = task.changes[0].new if task.changes else None
    if first and (found := tick(first)) and circumstances.ticks.get(found, 0) > 1:
        yield f"{circumstances.ticks[found]} tasks have the tick {found[1]:.3f}"


PROMISES = (
    one_task_at_a_time_has_a_key,
    a_submission_with_a_key_is_answered_with_the_task_of_the_key,
    a_batch_is_added_as_a_whole,
    a_tick_is_one_task,
)
