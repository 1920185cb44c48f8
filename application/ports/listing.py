"""Listing: many tasks at a time, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.ids import TaskId, TypeName
from domain.status import Status
from domain.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which tasks to list; None asks for any."""

    status: Status | None = None
    type: TypeName | None = None


class Listing(Protocol):
    """Pages of tasks, without the texts that travel beside them."""

    def page(self, filter: Filter, before: TaskId | None, limit: int) -> Sequence[Task]:
        """At most `limit` tasks that fit, those with an id below `before` if it is given, highest id first."""
        ...
