"""Listing: pages of tasks, newest first, and the number of tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ids import TaskId, TypeName
from domain.status import Status
from domain.task import Task

ANY_STATUS = frozenset(Status)

Counts = Mapping[TypeName, Mapping[Status, int]]
"""The number of tasks by type and status. Zeros are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The conditions on listed tasks; None is no condition.

    `created_after`: the earliest creation that matches.
    `created_before`: the earliest creation that is too late.
    `terms`: search terms of application.json.search_terms; a task must have all of them.

    Ids rise with `created`. A task that is out of that order by more than a minute may be missed.
    """

    statuses: frozenset[Status] = ANY_STATUS
    type: TypeName | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    terms: frozenset[int] = frozenset()


class Listing(Protocol):
    """Reads tasks without their arguments and results."""

    def page(self, filter: Filter, before: TaskId | None, limit: int) -> Sequence[Task]:
        """At most `limit` matching tasks with ids below `before`, if it is given; the highest id first."""
        ...

    def counts(self) -> Counts:
        """The counts of this moment, at a cost that does not depend on the number of tasks."""
        ...
