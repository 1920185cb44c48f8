"""What was accepted is kept: until its end, and until it is deleted or expires."""

from collections.abc import Iterator

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import Change, TaskHistory

CLOCKS = 0.5
"""Seconds by which the clocks of processes may differ."""


def a_task_that_was_answered_with_201_is_in_the_database(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    if task.asked("submit", 201) and not any(change.verb == "submit" for change in task.changes):
        yield "nobody ever wrote it"


def a_task_stays_until_it_expires_or_somebody_deletes_it(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.verb == "delete" and not _expired(change):
            if change.author.startswith("janitor"):
                yield f"{change.author} deleted it before its time"
            elif not task.may_have_asked("delete", 204, change.moment):
                yield f"{change.author} deleted it, and nobody had asked"
    if task.last and not task.is_there:
        yield "it is gone, and nobody deleted it"


def no_running_task_is_deleted(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.verb == "delete" and change.old and change.old.status == "running":
            yield f"{change.author} deleted it while {change.old.handler} ran it"


def every_task_comes_to_an_end(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    if task.last and not task.last.is_final:
        yield f"it is {task.last.status} when everything is over"


def nothing_is_written_but_what_is_recorded(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    """Each change begins where the one before it ended: no committed write was lost, and none bypassed the record."""
    for before, change in zip(task.changes, task.changes[1:], strict=False):
        if before.new != change.old:
            yield f"after {before.new} came a change of {change.old}"


def _expired(change: Change) -> bool:
    return change.old is not None and change.moment >= change.old.expire - CLOCKS


PROMISES = (
    a_task_that_was_answered_with_201_is_in_the_database,
    a_task_stays_until_it_expires_or_somebody_deletes_it,
    no_running_task_is_deleted,
    every_task_comes_to_an_end,
    nothing_is_written_but_what_is_recorded,
)
