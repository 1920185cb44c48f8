"""Await a task: view it when it has finished, or as it was seen last when the time is over."""

from contextlib import closing, suppress
from dataclasses import dataclass

from application.change_feed import ChangeFeed
from application.errors import StorageUnavailable, UnreadableTask
from application.ports.clock import Clock
from application.use_cases.follow_task import TaskFollower
from application.use_cases.view_task import ViewTask
from application.view import View, Viewer


@dataclass(frozen=True, slots=True)
class Awaited:
    """The last view of the task, and whether the change feed admitted no more subscribers to wait for another."""

    view: View
    was_turned_away: bool = False


class AwaitTask:
    """Awaits one task. An outage meanwhile is no error: the last view is returned.

    Raises UnknownTask: the task was deleted meanwhile.
    """

    def __init__(self, view: ViewTask, change_feed: ChangeFeed, viewer: Viewer, clock: Clock) -> None:
        self._view = view
        self._change_feed = change_feed
        self._viewer = viewer
        self._clock = clock

    def __call__(self, known: View, seconds: float) -> Awaited:
        """The view of the finished task as soon as there is one, else the last view after so many seconds."""
        deadline = self._clock.monotonic() + seconds
        with closing(TaskFollower(known, self._view, self._change_feed, self._viewer)) as follower:
            for view in follower.later(lambda: deadline - self._clock.monotonic()):
                known = view
        if follower.was_turned_away or known.task.status.is_final or self._clock.monotonic() >= deadline:
            return Awaited(known, follower.was_turned_away)
        return Awaited(self._last_view(known))

    def _last_view(self, known: View) -> View:
        """View the task of which no more views came, though it has not finished: it may be deleted."""
        with suppress(StorageUnavailable, UnreadableTask):
            return self._view(known.task.id)
        return known
