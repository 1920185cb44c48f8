"""The change feed: one poll of the storage serves all threads of this process that wait for tasks to change."""

import logging
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread

from application.errors import StorageUnavailable, UnreadableTask
from application.ports.autocommit import AutocommitStore
from application.ports.clock import Clock
from application.ports.task_repository import LARGE_BYTES, Version
from application.ports.wake_up import Listener, Topic
from application.view import View, Viewer
from domain.ids import TaskId

POLL_SECONDS = 1.0
"""Seconds between two polls without a notification."""
POLL_GAP_SECONDS, MAX_BURST_POLLS = 0.01, 5
"""Seconds between two polls on average under constant notifications, and the polls without such gaps after a pause."""
MIN_GAP_PER_POLL = 2
"""The smallest ratio of a gap to the poll before it, so that polling leaves time for other work."""
NOTIFY_BATCH, NOTIFY_GAP_SECONDS = 25, 0.002
"""Subscribers that are notified at once, and seconds until the next batch: each wakes up a thread, and others have work
to do in between."""
log = logging.getLogger(__name__)


class Subscriber:
    """One thread that waits for changes of one task. `seen` is the version that was published to it last."""

    def __init__(self, id: TaskId, seen: Version) -> None:
        self.id = id
        self.seen = seen
        self.has_ended = False
        self._view: View | None = None
        self._lock = Lock()
        # Not a condition, which would make a lock for each wait, and hundreds of threads wait.
        self._signals: SimpleQueue[None] = SimpleQueue()

    def next(self, seconds: float) -> View | None:
        """The next view of the task; None after so many seconds, or if the subscription has ended."""
        try:
            self._signals.get(timeout=max(seconds, 0))
        except Empty:
            return None
        with self._lock:
            view, self._view = self._view, None
        return view

    def publish(self, view: View) -> None:
        """Hand over the present view; it replaces one that was not taken yet."""
        with self._lock:
            is_signalled = self._view is not None
            self.seen, self._view = view.stored.version, view
        if not is_signalled:
            self._signals.put(None)

    def end(self) -> None:
        """End the subscription: no view follows."""
        with self._lock:
            self.has_ended = True
        self._signals.put(None)


@dataclass(slots=True)
class PollGaps:
    """The gaps between polls: none after a pause, POLL_GAP_SECONDS under constant notifications."""

    _due: float = -inf

    def after(self, now: float, took: float) -> float:
        """Seconds until the next poll, after one that has ended now and took so many seconds."""
        self._due = max(self._due + POLL_GAP_SECONDS, now - (MAX_BURST_POLLS - 1) * POLL_GAP_SECONDS)
        return min(max(self._due - now, MIN_GAP_PER_POLL * took), POLL_SECONDS)


class ChangeFeed:
    """Publishes the changes of tasks to subscribers. Its thread and its listener start with the first subscriber.

    The view of a large task is a summary, so that no subscriber of another task waits while it is read.
    """

    def __init__(
        self, storage: AutocommitStore, clock: Clock, listener: Listener, viewer: Viewer, max_subscribers: int
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._listener = listener
        self._viewer = viewer
        self._max_subscribers = max_subscribers
        self._subscribers: set[Subscriber] = set()
        self._lock = Lock()
        self._hint = Event()
        self._closed = Event()
        self._thread: Thread | None = None

    @contextmanager
    def subscribe(self, id: TaskId, seen: Version) -> Iterator[Subscriber | None]:
        """A subscriber of that task; None if there are too many already, or the feed is closed."""
        subscriber = self._admitted(Subscriber(id, seen))
        # A change since `seen` may have been notified before the subscription.
        self._hint.set()
        try:
            yield subscriber
        finally:
            if subscriber:
                with self._lock:
                    self._subscribers.discard(subscriber)

    def close(self) -> None:
        """End all subscriptions, and admit no others."""
        self._closed.set()
        for subscriber in self._present():
            subscriber.end()
        self._hint.set()
        self._listener.close()
        if self._thread:
            self._thread.join(timeout=2)

    def _admitted(self, subscriber: Subscriber) -> Subscriber | None:
        with self._lock:
            if self._closed.is_set() or len(self._subscribers) >= self._max_subscribers:
                return None
            if self._thread is None:
                self._listener.listen(lambda _: self._hint.set(), (Topic.CHANGED,))
                self._thread = Thread(target=self._run, name="change-feed", daemon=True)
                self._thread.start()
            self._subscribers.add(subscriber)
        return subscriber

    def _present(self) -> Sequence[Subscriber]:
        with self._lock:
            return list(self._subscribers)

    def _run(self) -> None:
        gaps = PollGaps()
        while not self._closed.is_set():
            self._hint.wait(POLL_SECONDS * random.uniform(0.75, 1.25))
            self._hint.clear()
            began = self._clock.monotonic()
            self._try_to_poll()
            now = self._clock.monotonic()
            self._closed.wait(gaps.after(now, now - began))

    def _try_to_poll(self) -> None:
        try:
            self._poll()
        except StorageUnavailable:
            return  # the next poll serves the subscribers
        except Exception:
            log.exception("change feed: a poll failed, and is repeated")

    def _poll(self) -> None:
        by_task: defaultdict[TaskId, list[Subscriber]] = defaultdict(list)
        for subscriber in self._present():
            by_task[subscriber.id].append(subscriber)
        if not by_task:
            return
        versions = self._storage.versions(by_task.keys())
        # The tasks with the fewest subscribers come first, since many subscribers take a while to notify.
        for id, subscribers in sorted(by_task.items(), key=lambda each: len(each[1])):
            if outdated := [subscriber for subscriber in subscribers if subscriber.seen != versions.get(id)]:
                self._publish(id, outdated)

    def _publish(self, id: TaskId, subscribers: Sequence[Subscriber]) -> None:
        """Publish the view of the task, which is made once for all; end those of a task that is gone."""
        view = self._view(id)
        for start in range(0, len(subscribers), NOTIFY_BATCH):
            for subscriber in subscribers[start : start + NOTIFY_BATCH]:
                if view:
                    subscriber.publish(view)
                else:
                    subscriber.end()
            if start + NOTIFY_BATCH < len(subscribers):
                self._closed.wait(NOTIFY_GAP_SECONDS)

    def _view(self, id: TaskId) -> View | None:
        try:
            stored = self._storage.get_many([id], LARGE_BYTES).get(id)
        except UnreadableTask:
            return None
        return self._viewer(stored) if stored else None
