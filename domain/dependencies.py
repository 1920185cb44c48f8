"""The tasks that a task waits for: its parents, of which it is a dependent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from domain.ids import Owner, TaskId
from domain.instants import after, whole_second
from domain.status import Status
from domain.task import Task

KEPT_SECONDS = 60
"""Seconds by which the end of a parent's time is put off while a dependent has not finished."""


def kept_until(now: datetime) -> datetime:
    """The new expiry of a parent that would be deleted now, but that a dependent still needs."""
    return after(whole_second(now), KEPT_SECONDS)


def depths(parents: Mapping[TaskId, Collection[TaskId]]) -> Mapping[TaskId, int]:
    """The length of the longest chain of parents above each task. Empty where tasks wait for each other in a circle."""
    found: dict[TaskId, int] = {}
    try:
        for id in TopologicalSorter(parents).static_order():
            found[id] = 1 + max((found[parent] for parent in parents.get(id, ())), default=-1)
    except CycleError:
        return {}
    return found


class IfFailed(StrEnum):
    """The rule for a dependent of which a parent fails: it fails, too, or runs once all parents have ended."""

    FAIL = "fail"
    RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """The parents of a task, which is blocked until they let it run.

    `run_at`: the time before which it does not start, however early they end.
    `has_references`: whether its arguments refer to results of parents.
    `owner`: to whom all parents must belong, since its sender sees no others; None if it sees all.
    """

    parents: frozenset[TaskId]
    if_failed: IfFailed = IfFailed.FAIL
    run_at: datetime | None = None
    has_references: bool = False
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class FailedParent:
    """A parent that has failed, was cancelled or is gone; `status` is None of one that was deleted or has expired."""

    id: TaskId
    status: Status | None

    def __str__(self) -> str:
        ends = {Status.FAILED: "has failed", Status.CANCELLED: "was cancelled"}
        return f"task {self.id} {ends[self.status] if self.status else 'was deleted or has expired'}"


@dataclass(frozen=True, slots=True)
class Dependent:
    """A task that waits for its parents or has failed by one, and the state of the parents after it was locked.

    - `run_at`: the time before which it does not start.
    - `is_ready`: whether all parents have ended.
    - `failed`: one of the parents that have failed; None if none has, or if failures do not matter to it.
    """

    task: Task
    run_at: datetime | None
    is_ready: bool
    failed: FailedParent | None

    def decided(self, now: datetime) -> Task | None:
        """The task as its parents decide; None if it stays as it is. What a parent has failed waits again with it."""
        has_failed = self.task.status is Status.FAILED
        if self.failed:
            return None if has_failed else self.task.fail_by_parent(now, str(self.failed))
        task = self.task.retry(now, self.task.max_attempts) if has_failed else self.task
        if self.is_ready:
            return task.unblock(now, self.run_at)
        return task if has_failed else None
