"""Promises about durability: an accepted task is stored until it is deleted or expires, and is finished."""

from collections.abc import Iterator

from tests.chaos.circumstances import Circumstances
from tests.chaos.history import SUBMISSIONS, Change, TaskHistory

MAX_DELAY_SECONDS = 10.0
"""Seconds after the load by which every task is due."""
CLOCK_DIFFERENCE_SECONDS = 0.5
"""Seconds by which the clocks of processes may differ."""


def a_task_that_was_answered_with_201_is_in_the_database(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    """A failover may lose it later."""
    is_written = any(change.verb == "submit" for change in (*task.changes, *task.lost))
    if not is_written and any(task.requests_answered(verb, 200, 201) for verb in SUBMISSIONS):
        yield "it was never written"


def a_task_stays_until_it_expires_or_is_deleted(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    for change in task.changes:
        is_clock_steady = circumstances.is_clock_steady(task.changes[0].moment, change.moment)
        if change.verb == "delete" and is_clock_steady and not _expired(change):
            if change.author.startswith("janitor"):
                yield f"{change.author} deleted it before its time"
            elif not task.may_be_requested("delete", 204, change.moment):
                yield f"{change.author} deleted it without a request"
    if task.last and not task.is_there:
        yield "it is gone without a delete"


def no_running_task_is_deleted(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    for change in task.changes:
        if change.verb == "delete" and change.old and change.old.status == "running":
            yield f"{change.author} deleted it while {change.old.handler} ran it"


def every_task_is_finished_in_the_end(task: TaskHistory, circumstances: Circumstances) -> Iterator[str]:
    """But for a task that is not due yet, since it was submitted while the clock of the database was ahead."""
    if task.last and not task.last.is_final and task.last.run_at < circumstances.ended + MAX_DELAY_SECONDS:
        yield f"it is {task.last.status} at the end"


def every_write_is_recorded(task: TaskHistory, _: Circumstances) -> Iterator[str]:
    """Each change starts from the row of the one before it: no committed write was lost, and none was unrecorded."""
    for before, change in zip(task.changes, task.changes[1:], strict=False):
        if before.new != change.old:
            yield f"{before.new} was followed by a change of {change.old}"


def _expired(change: Change) -> bool:
    return change.old is not None and change.moment >= change.old.expire - CLOCK_DIFFERENCE_SECONDS


PROMISES = (
    a_task_that_was_answered_with_201_is_in_the_database,
    a_task_stays_until_it_expires_or_is_deleted,
    no_running_task_is_deleted,
    every_task_is_finished_in_the_end,
    every_write_is_recorded,
)
