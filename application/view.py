"""The view of a task: the task itself, its texts, and what it waits for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from application.known_types import KnownTypes
from application.ports.clock import Clock
from application.ports.task_repository import TaskRecord, Version
from domain.task import Task
from domain.waiting import WaitingFor, waiting_for

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class View:
    """A task with its arguments and its result, which views in lists do not have."""

    stored: TaskRecord
    waiting_for: WaitingFor | None
    _made: dict[Callable[["View"], Any], Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def once(self, make: Callable[["View"], T]) -> T:
        """`make` of this view, computed the first time only, since all followers of a task share its views."""
        if make not in self._made:
            self._made[make] = make(self)
        made: T = self._made[make]
        return made

    @property
    def task(self) -> Task:
        """The task itself."""
        return self.stored.task

    @property
    def version(self) -> Version:
        """The version of the row of the task."""
        return self.stored.version


class Viewer:
    """Makes views, with the clock and the published types."""

    def __init__(self, types: KnownTypes, clock: Clock) -> None:
        self._types = types
        self._clock = clock

    def __call__(self, stored: TaskRecord) -> View:
        """The present view of a task."""
        task, now = stored.task, self._clock.now()
        is_live, held_back_by = self._types.is_live(task.type), self._types.held_back_by(task, now)
        return View(stored, waiting_for(task, now, is_live, held_back_by))
