"""Listing: pages of tasks, newest first, and the number of tasks."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from domain.failure import Error
from domain.ids import BatchId, TaskId, TypeName
from domain.instants import EPOCH, LATEST
from domain.status import FINAL, Status
from domain.task import Task

ANY_STATUS = frozenset(Status)
FAILED = frozenset({Status.FAILED})
MAX_LOOKED_TASKS = 10_000
"""Tasks at which one search looks, where no index serves a condition of its filter."""

Counts = Mapping[TypeName, Mapping[Status, int]]
"""The number of tasks by type and status. Zeros are left out."""


@dataclass(frozen=True, slots=True)
class CountsOfTerms:
    """The counts of the tasks that have some search terms. `is_complete`: whether these are surely all."""

    counts: Counts
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The conditions on listed tasks; None is no condition.

    `created_after`: the earliest creation that matches.
    `created_before`: the earliest creation that is too late.
    `finished_after`, `finished_before`: the same of the end. A task that has not finished does not match.
    `terms`: search terms of application.json.search_terms; a task must have all of them.
    `error_type`, `error`: the type of the error of a failed task, and a part of its type and message, in any case.
    `failure_group`: the number of a failure group.
    `ids`: the ids that match.
    `batch`: the batch whose tasks match.
    `as_of`: the moment at which the tasks are meant: one that has finished since then does not match.

    Ids rise with `created`. A task that is out of that order by more than a minute may be missed.
    """

    statuses: frozenset[Status] = ANY_STATUS
    type: TypeName | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    finished_after: datetime | None = None
    finished_before: datetime | None = None
    terms: frozenset[int] = frozenset()
    error_type: str | None = None
    error: str | None = None
    failure_group: int | None = None
    ids: frozenset[TaskId] | None = None
    batch: BatchId | None = None
    as_of: datetime | None = None

    @property
    def searches_errors(self) -> bool:
        """Whether only failed tasks can match, by their errors."""
        return (self.error_type, self.error, self.failure_group) != (None, None, None)

    @property
    def searches_ends(self) -> bool:
        """Whether only finished tasks can match, by their ends."""
        return (self.finished_after, self.finished_before) != (None, None)

    @property
    def possible_statuses(self) -> frozenset[Status]:
        """The wanted statuses of tasks that can match."""
        return self.statuses & (FAILED if self.searches_errors else FINAL if self.searches_ends else ANY_STATUS)


@dataclass(frozen=True, slots=True)
class Found:
    """The tasks that a search has found, the highest id first.

    `next`: the `before` of the search that goes on; None if no task follows.
    """

    tasks: Sequence[Task]
    next: TaskId | None = None

    @classmethod
    def first(cls, limit: int, tasks: Sequence[Task], next: TaskId | None = None) -> "Found":
        """The first of these tasks. `next` is where the search went no further, if it ended early."""
        shown = tasks[:limit]
        return cls(shown, shown[-1].id if len(tasks) > limit else next)


class End(NamedTuple):
    """Keyset cursor of the order of ends: when the last task of a page has finished, and its id.

    An end before EPOCH counts as EPOCH, and one after LATEST as LATEST.
    """

    finished: datetime
    id: TaskId

    @classmethod
    def of(cls, task: Task) -> "End":
        """The end of a task that has finished."""
        assert task.finished
        return cls(max(EPOCH, min(task.finished, LATEST)), task.id)


class Part(StrEnum):
    """The texts of a task, which are read apart from it."""

    ARGS = "args"
    RESULT = "result"


class Texts(NamedTuple):
    """The wanted texts of a task; None for those that are not wanted, and for a result that is not there."""

    args: str | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """The failed tasks of one type whose errors differ in numbers alone.

    `number`: tells groups apart; storages number them differently.
    `error`: that of its newest task.
    `first`, `last`: when the first and the last of its tasks failed.
    """

    type: TypeName
    number: int
    error: Error
    count: int
    first: datetime
    last: datetime


class Listing(Protocol):
    """Reads tasks, and their arguments and results apart from them."""

    def search(self, filter: Filter, before: TaskId | None, limit: int) -> Found:
        """At most `limit` matching tasks with ids below `before`, if it is given.

        A search that has looked at MAX_LOOKED_TASKS may end before it has found as many as there are.
        """
        ...

    def search_by_end(self, filter: Filter, after: End | None, limit: int) -> Sequence[Task]:
        """At most `limit` matching tasks that have finished, by their ends, then by id: those behind `after`, if given.

        The filter has to name ids or a batch.
        """
        ...

    def first_failures(self, batch: BatchId, limit: int) -> Sequence[Task]:
        """At most `limit` of the failed tasks of a batch, by their ends, then by id."""
        ...

    def texts(
        self, ids: Sequence[TaskId], parts: Set[Part], max_bytes: int, max_each: int | None = None
    ) -> Mapping[TaskId, Texts]:
        """Return the wanted texts of the first of these tasks, in the order given. Unknown ids are omitted.

        It reads as many as have no more than `max_bytes` together, and those of the first task in any case. Tasks whose
        texts have more than `max_each`, if that is given, are left out before.
        """
        ...

    def failure_groups(self, limit: int) -> Sequence[FailureGroup]:
        """At most `limit` groups of failed tasks: the largest first, of equal ones that with the newest task."""
        ...

    def counts(self) -> Counts:
        """The counts of this moment, at a cost that does not depend on the number of tasks."""
        ...

    def counts_of(self, terms: frozenset[int], limit: int) -> CountsOfTerms:
        """The counts of the tasks that have all these terms, at least one, among the newest `limit` that have one."""
        ...
