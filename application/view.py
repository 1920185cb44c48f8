"""A task as people see it: where it stands, and what it waits for."""

from dataclasses import dataclass

from application.known_types import KnownTypes
from application.ports.clock import Clock
from application.ports.tasks import Stored
from domain.task import Task
from domain.waiting import WaitingFor, waiting_for


@dataclass(frozen=True, slots=True)
class View:
    """A task with the texts that travel beside it; in lists `stored` has none."""

    stored: Stored
    waiting_for: WaitingFor | None

    @property
    def task(self) -> Task:
        """Where the task stands."""
        return self.stored.task


class Viewer:
    """Looks at tasks with the clock and the published types at hand."""

    def __init__(self, types: KnownTypes, clock: Clock) -> None:
        self._types = types
        self._clock = clock

    def __call__(self, stored: Stored) -> View:
        """The view of a task now."""
        task = stored.task
        return View(stored, waiting_for(task, self._clock.now(), self._types.is_live(task.type)))
