"""The lineage of a task in its page: which task it runs again, with which changes, and which run it again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from application.errors import UnknownTask
from application.use_cases.check_owner import CheckOwner
from application.use_cases.find_reruns import FindReruns, Lineage
from application.use_cases.view_task import ViewTask
from domain.ids import TaskId
from entrypoints.http.access.current import own_tasks_of
from entrypoints.http.pages.forms.changes import ArgumentChange, changed_arguments
from entrypoints.http.services import Services

MAX_COMPARED_CHARACTERS = 1024 * 1024
"""Length of arguments up to which they are compared: a page must not take long."""
MAX_REMEMBERED = 1_000
"""Comparisons that are remembered: arguments never change."""


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The lineage of a task, with the arguments in which it differs from its origin.

    `changes`: None where they are not known, since the origin is deleted, too long or not seen by the sender.
    """

    lineage: Lineage
    changes: Sequence[ArgumentChange] | None


class FindAncestry:
    """Finds what `lineage.html` shows. Thread-safe."""

    def __init__(self, services: Services) -> None:
        self._view: ViewTask = services.view_task()
        self._find: FindReruns = services.find_reruns()
        self._owners: CheckOwner = services.check_owner()
        self._changes: Callable[[TaskId, TaskId], Sequence[ArgumentChange] | None] = lru_cache(MAX_REMEMBERED)(
            self._compared
        )

    def __call__(self, task: TaskId) -> Ancestry:
        """The ancestry of a task."""
        lineage = self._find(task)
        return Ancestry(lineage, self._changed(lineage.origin, task) if lineage.origin else None)

    def _changed(self, origin: TaskId, task: TaskId) -> Sequence[ArgumentChange] | None:
        try:
            if owner := own_tasks_of():
                self._owners.of_task(origin, owner)
            return self._changes(origin, task)
        except UnknownTask:
            return None

    def _compared(self, origin: TaskId, task: TaskId) -> Sequence[ArgumentChange] | None:
        before, after = self._view(origin).stored.args, self._view(task).stored.args
        return None if max(len(before), len(after)) > MAX_COMPARED_CHARACTERS else changed_arguments(before, after)
