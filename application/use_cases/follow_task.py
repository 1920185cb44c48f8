"""Follow a task: view it now, and again whenever it has changed, until it has finished."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from math import inf

from application.change_feed import ChangeFeed, Subscriber
from application.use_cases.view_task import ViewTask
from application.view import View, Viewer
from domain.ids import TaskId

HEARTBEAT_SECONDS = 5.0
"""Seconds after which there is a view in any case."""


class TaskFollower:
    """Views of one task. Who asked for it closes it, however far it was read."""

    def __init__(self, first: View, change_feed: ChangeFeed, viewer: Viewer) -> None:
        self.first = first
        self._viewer = viewer
        self._stack = ExitStack()
        self._watcher: Subscriber | None = None
        if not first.task.status.is_final:
            self._watcher = self._stack.enter_context(change_feed.subscribe(first.task.id, first.stored.version))

    @property
    def was_turned_away(self) -> bool:
        """Whether so many tasks are followed already that there is the first view and no more."""
        return self._watcher is None and not self.first.task.status.is_final

    def close(self) -> None:
        """Follow no longer. It may have been closed before."""
        self._stack.close()

    def later(self, left: Callable[[], float] = lambda: inf) -> Iterator[View]:
        """The views after the first: one after each change, and one after HEARTBEAT, which may look the same.

        States in between may merge, the last one always comes. It ends with the task, when everybody is sent away, and
        when no seconds are `left`.
        """
        view = self.first
        while self._watcher and not view.task.status.is_final:
            seconds = left()
            news = self._watcher.next(min(seconds, HEARTBEAT_SECONDS))
            if news is None and (self._watcher.has_ended or seconds <= HEARTBEAT_SECONDS):
                return
            view = news or self._viewer(view.stored)
            yield view


class FollowTask:
    """UnknownTask where there is none of that id."""

    def __init__(self, view: ViewTask, change_feed: ChangeFeed, viewer: Viewer) -> None:
        self._view = view
        self._change_feed = change_feed
        self._viewer = viewer

    def __call__(self, id: TaskId) -> TaskFollower:
        """What happens to the task from now on."""
        return TaskFollower(self._view(id), self._change_feed, self._viewer)
