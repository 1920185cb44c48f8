"""A subscriber of the change feed: one thread that waits for changes of some tasks."""

from collections.abc import Mapping
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Generic, Protocol, TypeVar

from application.ports.task_repository import Version
from domain.ids import TaskId
from domain.task import Task


class Published(Protocol):
    """A task of one version, such as its record or its view."""

    @property
    def task(self) -> Task: ...

    @property
    def version(self) -> Version: ...


T = TypeVar("T", bound=Published)


class Subscriber(Generic[T]):
    """One thread that waits for changes of tasks, until each of them has finished or is gone.

    `has_ended`: whether nothing more will be published.
    """

    def __init__(self, seen: Mapping[TaskId, Version]) -> None:
        self.has_ended = False
        self._seen = dict(seen)
        self._changes: dict[TaskId, T | None] = {}
        self._lock = Lock()
        # Not a condition, which would make a lock for each wait, and hundreds of threads wait.
        self._signals: SimpleQueue[None] = SimpleQueue()

    @property
    def seen(self) -> Mapping[TaskId, Version]:
        """The tasks that are waited for, with the version of each that was published last."""
        with self._lock:
            return dict(self._seen)

    @property
    def awaited(self) -> int:
        """The number of tasks that are waited for."""
        return len(self._seen)

    @property
    def is_done(self) -> bool:
        """Whether the last change of every task was taken."""
        with self._lock:
            return not (self._seen or self._changes)

    def wait_for(self, more: Mapping[TaskId, Version]) -> None:
        """Wait for these tasks, too."""
        with self._lock:
            self._seen.update(more)

    def next(self, seconds: float) -> Mapping[TaskId, T | None]:
        """The changed tasks since the last call, as they are now; None for one that is gone.

        Nothing after so many seconds, or if the subscription has ended.
        """
        try:
            self._signals.get(timeout=max(seconds, 0))
        except Empty:
            return {}
        with self._lock:
            changes, self._changes = self._changes, {}
        return changes

    def publish(self, changes: Mapping[TaskId, T | None]) -> None:
        """Hand over changed tasks; each replaces what was not taken yet."""
        with self._lock:
            is_signalled = bool(self._changes)
            self._changes.update(changes)
            for id, change in changes.items():
                if change is None or change.task.status.is_final:
                    self._seen.pop(id, None)
                else:
                    self._seen[id] = change.version
        if changes and not is_signalled:
            self._signals.put(None)

    def end(self) -> None:
        """End the subscription: nothing follows."""
        with self._lock:
            self.has_ended = True
        self._signals.put(None)
