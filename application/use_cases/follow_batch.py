"""Follow a batch: view it now, and after each change until it has finished."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from math import inf

from application.batch_feed import BatchFeed, BatchSubscriber
from application.errors import StorageUnavailable, UnknownBatch
from application.ports.clock import Clock
from application.use_cases.follow_task import HEARTBEAT_SECONDS
from application.use_cases.view_batch import BatchView, ViewBatch
from domain.ids import BatchId

RETRY_SECONDS = 1.0
"""Seconds after which a change is viewed again that could not be, since the storage was away."""


class BatchFollower:
    """The views of one batch. The caller has to close it."""

    def __init__(self, first: BatchView, view: ViewBatch, feed: BatchFeed) -> None:
        self.first = first
        self._view = view
        self._stack = ExitStack()
        self._subscriber: BatchSubscriber | None = None
        if not first.record.batch.finished:
            self._subscriber = self._stack.enter_context(feed.subscribe(first.record))

    @property
    def was_turned_away(self) -> bool:
        """Whether no view follows the first one, since the feed has admitted no more subscribers."""
        return self._subscriber is None and not self.first.record.batch.finished

    def close(self) -> None:
        """Stop following. A second call does nothing."""
        self._stack.close()

    def later(self, left: Callable[[], float] = lambda: inf) -> Iterator[BatchView]:
        """The views after the first: one after each change, and the same one after HEARTBEAT_SECONDS without any.

        States in between may merge; the last one always comes. The views end when the batch has finished or is gone,
        when the feed is closed, and when no seconds are `left`.
        """
        view, is_stale = self.first, False
        while self._subscriber and not view.record.batch.finished:
            seconds, gap = left(), RETRY_SECONDS if is_stale else HEARTBEAT_SECONDS
            has_changed = self._subscriber.wait(min(seconds, gap))
            if self._subscriber.has_ended or (not has_changed and seconds <= gap):
                return
            if has_changed or is_stale:
                try:
                    view, is_stale = self._view(self._subscriber.id), False
                except StorageUnavailable:
                    is_stale = True
                except UnknownBatch:
                    return
            yield view


class FollowBatch:
    """Follows one batch. Raises UnknownBatch: the batch does not exist."""

    def __init__(self, view: ViewBatch, feed: BatchFeed, clock: Clock) -> None:
        self._view = view
        self._feed = feed
        self._clock = clock

    def __call__(self, id: BatchId) -> BatchFollower:
        """The views of the batch from now on."""
        return BatchFollower(self._view(id), self._view, self._feed)

    def until_finished(self, follower: BatchFollower, seconds: float) -> BatchView:
        """The view of the finished batch as soon as there is one, else the last view after so many seconds."""
        deadline = self._clock.monotonic() + seconds
        later = follower.later(lambda: deadline - self._clock.monotonic())
        (last,) = deque(chain([follower.first], later), maxlen=1)
        return last
