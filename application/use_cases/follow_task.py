"""Follow a task: view it now, and after each change until it has finished."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from math import inf

from application.change_feed import ChangeFeed
from application.errors import ApplicationError
from application.subscriber import Subscriber
from application.use_cases.view_task import ViewTask
from application.view import View, Viewer
from domain.ids import TaskId

HEARTBEAT_SECONDS = 5.0
"""Seconds after which a view follows even without a change."""


class TaskFollower:
    """The views of one task. The caller has to close it."""

    def __init__(self, first: View, view: ViewTask, change_feed: ChangeFeed, viewer: Viewer) -> None:
        self.first = first
        self._view = view
        self._viewer = viewer
        self._stack = ExitStack()
        self._subscriber: Subscriber[View] | None = None
        if not first.task.status.is_final:
            self._subscriber = self._stack.enter_context(change_feed.subscribe(first.task.id, first.stored.version))

    @property
    def was_turned_away(self) -> bool:
        """Whether no view follows the first one, since the change feed has admitted no more subscribers."""
        return self._subscriber is None and not self.first.task.status.is_final

    def close(self) -> None:
        """Stop following. A second call does nothing."""
        self._stack.close()

    def later(self, left: Callable[[], float] = lambda: inf) -> Iterator[View]:
        """The views after the first: one after each change, and after HEARTBEAT_SECONDS one that may look the same.

        States in between may merge; the last one always comes. The views end when the task has finished or is deleted,
        when the change feed is closed, when no seconds are `left`, and when a large task cannot be read.
        """
        view = self.first
        while self._subscriber and not view.task.status.is_final:
            seconds = left()
            changes = self._subscriber.next(min(seconds, HEARTBEAT_SECONDS))
            if not changes and (self._subscriber.has_ended or seconds <= HEARTBEAT_SECONDS):
                return
            present = self._whole(changes[view.task.id]) if changes else self._viewer(view.stored)
            if present is None:
                return
            view = present
            yield view

    def _whole(self, changed: View | None) -> View | None:
        """The view with arguments and result, which the change feed leaves out of a large task; None if it is away."""
        if changed is None or not changed.stored.is_summary:
            return changed
        with suppress(ApplicationError):
            return self._view(changed.task.id)
        return None


class FollowTask:
    """Follows one task.

    Raises UnknownTask: the task does not exist.
    """

    def __init__(self, view: ViewTask, change_feed: ChangeFeed, viewer: Viewer) -> None:
        self._view = view
        self._change_feed = change_feed
        self._viewer = viewer

    def __call__(self, id: TaskId) -> TaskFollower:
        """The views of the task from now on."""
        return TaskFollower(self._view(id), self._view, self._change_feed, self._viewer)
