"""Follow a task: view it now, and again whenever it has changed, until it has finished."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress

from application.changes import Changes
from application.errors import StorageUnavailable, UnknownTask
from application.ports.tasks import UNKNOWN, Version
from application.use_cases.view_task import ViewTask
from application.view import View
from domain.ids import TaskId

HEARTBEAT = 15.0
"""Seconds after which there is a view in any case."""


class Following:
    """Views of one task, beginning with the first one. Who asked for it closes it, however far it was read."""

    def __init__(self, view: ViewTask, changes: Changes, first: View, seen: Version) -> None:
        self._view = view
        self._known = first
        self._seen = seen
        self._stack = ExitStack()
        self._watcher = None if self._is_over else self._stack.enter_context(changes.watching(first.task.id))

    @property
    def has_nothing_new(self) -> bool:
        """Whether the task has finished, and that was seen."""
        return self._is_over and self._known.stored.version == self._seen

    @property
    def was_turned_away(self) -> bool:
        """Whether so many tasks are followed already that there is the first view and no more."""
        return self._watcher is None and not self._is_over

    @property
    def _is_over(self) -> bool:
        return self._known.task.status.is_final

    def close(self) -> None:
        """Follow no longer. It may have been closed before."""
        self._stack.close()

    def __iter__(self) -> Iterator[View | None]:
        """The first view, unless it was seen before; then one after each change, though it may look the same.

        None is a sign of life while the storage is away. Ends with the task, or when everybody is sent away.
        """
        if self._known.stored.version != self._seen:
            yield self._known
        while self._watcher and not self._is_over:
            self._watcher.wait(self._known.stored.version, HEARTBEAT)
            if self._watcher.is_dismissed:
                return
            try:
                yield self._next()
            except UnknownTask:
                return

    def _next(self) -> View | None:
        with suppress(StorageUnavailable):
            self._known = self._view(self._known.task.id)
            return self._known
        return None


class FollowTask:
    """UnknownTask where there is none of that id."""

    def __init__(self, view: ViewTask, changes: Changes) -> None:
        self._view = view
        self._changes = changes

    def __call__(self, id: TaskId, seen: Version = UNKNOWN) -> Following:
        """What happens to the task after the version that was seen."""
        return Following(self._view, self._changes, self._view(id), seen)
