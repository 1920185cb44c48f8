"""Listing: many tasks at a time, newest first, and how many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ids import TaskId, TypeName
from domain.status import Status
from domain.task import Task

ANY_STATUS = frozenset(Status)

Counts = Mapping[TypeName, Mapping[Status, int]]
"""How many tasks there are of each type, by where they stand; none of those of which there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which tasks are asked for; None is any.

    They were created at `created_after` or later and before `created_before`, and have each of these `terms` of
    application.json.search_terms. Ids rise with `created`: where the order differs by more than a minute, a task may
    be missed.
    """

    statuses: frozenset[Status] = ANY_STATUS
    type: TypeName | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    terms: frozenset[int] = frozenset()


class Listing(Protocol):
    """Pages of tasks, without the texts that travel beside them."""

    def page(self, filter: Filter, before: TaskId | None, limit: int) -> Sequence[Task]:
        """At most `limit` tasks that fit, those with an id below `before` if it is given, highest id first."""
        ...

    def counts(self) -> Counts:
        """Those of this moment, however many tasks there are."""
        ...
