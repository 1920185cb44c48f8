"""Reruns: which task is another one run again, with the same arguments or with changed ones."""

from collections.abc import Sequence
from typing import Protocol

from domain.ids import TaskId


class Reruns(Protocol):
    """The links between tasks and those that they run again. A link is deleted with the task that runs again."""

    def add(self, task: TaskId, origin: TaskId) -> None:
        """Before: a new task of this unit of work. After: it is the rerun of its origin, which may be deleted later."""
        ...

    def origin(self, task: TaskId) -> TaskId | None:
        """Return the task that this one runs again, deleted or not; None if it is no rerun."""
        ...

    def of(self, origin: TaskId, limit: int) -> Sequence[TaskId]:
        """Return the existing tasks that run this one again, the newest first, at most `limit`."""
        ...
