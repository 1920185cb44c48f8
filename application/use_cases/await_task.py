"""Await a task: view it when it has finished, or as it was seen last when the time is over."""

from contextlib import closing
from dataclasses import dataclass

from application.change_feed import ChangeFeed
from application.ports.clock import Clock
from application.use_cases.follow_task import TaskFollower
from application.view import View, Viewer


@dataclass(frozen=True, slots=True)
class Awaited:
    """The task as it was last seen, and whether there was no place to wait for more."""

    view: View
    was_turned_away: bool = False


class AwaitTask:
    """What is known of the task stays true where the storage goes away, or the task itself."""

    def __init__(self, change_feed: ChangeFeed, viewer: Viewer, clock: Clock) -> None:
        self._change_feed = change_feed
        self._viewer = viewer
        self._clock = clock

    def __call__(self, known: View, seconds: float) -> Awaited:
        """The task, finished, as soon as that is seen; at the latest after so many seconds."""
        deadline = self._clock.monotonic() + seconds
        with closing(TaskFollower(known, self._change_feed, self._viewer)) as following:
            for view in following.later(lambda: deadline - self._clock.monotonic()):
                known = view
        return Awaited(known, following.was_turned_away)
