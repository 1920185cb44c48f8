"""Events of tasks, as they are counted: each follows from a task before and after a change."""

from collections.abc import Iterator
from enum import StrEnum

from domain.histogram import bucket_between
from domain.status import Status
from domain.task import Task


class Event(StrEnum):
    """An event of a task.

    - STARTED: its function has started; its duration is the time that it waited beyond its `run_at`.
    - DONE, FAILED, CANCELLED: it has finished so; its duration is that of its last start, if it has one.
    - RETRIED: it waits again after an attempt that failed, or after a retry by hand.
    - LOST: it was taken back from a dead handler after it had started.
    """

    SUBMITTED = "submitted"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RETRIED = "retried"
    LOST = "lost"


def events_between(before: Task | None, after: Task) -> Iterator[tuple[Event, int | None]]:
    """The events of a change, each with the bucket of its duration if it has one. `before` is None of a new task.

    A start is seen when `started` is stored. If that never was, a failed attempt stands for it, without a duration.
    A release is no event.
    """
    if before is None:
        yield Event.SUBMITTED, None
        return
    if after.started and not before.started:
        yield Event.STARTED, bucket_between(after.run_at, after.started)
    if after.status is before.status:
        return
    if after.status.is_final:
        yield Event(after.status), _run_bucket(after)
    if before.status is Status.RUNNING and _is_lost(before, after):
        yield Event.LOST, None
    elif after.status is Status.WAITING and before.status.is_final:
        yield Event.RETRIED, None
    elif after.status is Status.WAITING and after.attempt >= before.attempt:
        yield Event.RETRIED, None
        if not before.started:
            yield Event.STARTED, None


def _run_bucket(task: Task) -> int | None:
    return bucket_between(task.started, task.finished) if task.started and task.finished else None


def _is_lost(before: Task, after: Task) -> bool:
    return after.losses > before.losses or (after.suspect and not before.suspect)
