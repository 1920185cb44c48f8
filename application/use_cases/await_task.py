"""Await a task: view it when it has finished, or as it stands when the time is over."""

from contextlib import suppress
from dataclasses import dataclass

from application.changes import Changes, Watcher
from application.errors import StorageUnavailable, UnknownTask
from application.ports.clock import Clock
from application.use_cases.view_task import ViewTask
from application.view import View


@dataclass(frozen=True, slots=True)
class Awaited:
    """The task as it was last seen, and whether there was no place to wait for more."""

    view: View
    was_turned_away: bool = False


class AwaitTask:
    """Raises nothing: what is known of the task stays true where the storage goes away, or the task itself."""

    def __init__(self, view: ViewTask, changes: Changes, clock: Clock) -> None:
        self._view = view
        self._changes = changes
        self._clock = clock

    def __call__(self, known: View, seconds: float) -> Awaited:
        """The task, finished, as soon as that is seen; at the latest after so many seconds."""
        if known.task.status.is_final:
            return Awaited(known)
        with self._changes.watching(known.task.id) as watcher:
            return Awaited(self._watched(watcher, known, seconds)) if watcher else Awaited(known, was_turned_away=True)

    def _watched(self, watcher: Watcher, known: View, seconds: float) -> View:
        deadline = self._clock.monotonic() + seconds
        with suppress(UnknownTask):
            known = self._latest(known)
            while not known.task.status.is_final and watcher.wait(
                known.stored.version, deadline - self._clock.monotonic()
            ):
                known = self._latest(known)
        return known

    def _latest(self, known: View) -> View:
        with suppress(StorageUnavailable):
            return self._view(known.task.id)
        return known
