"""Waiting for tasks to change: one look at the storage serves all who wait in this process, however many they are."""

import logging
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread

from application.errors import StorageUnavailable
from application.ports.autocommit import AutocommitStore
from application.ports.clock import Clock
from application.ports.task_repository import Version
from application.ports.wake_up import Listener, Topic
from application.view import View, Viewer
from domain.ids import TaskId

POLL_SECONDS = 1.0
"""Seconds between two looks where nothing is heard."""
POLL_GAP_SECONDS, MAX_BURST_POLLS = 0.01, 5
"""Seconds between two looks on average, however much is heard; after a quiet while so many come without them."""
MIN_GAP_PER_POLL = 2
"""How many times longer than a look the pause after it is at least, so that looking leaves time for everything else."""
NOTIFY_BATCH, NOTIFY_GAP_SECONDS = 25, 0.002
"""So many are told at once, and then others have their turn for so many seconds: each has a thread that wakes up."""
log = logging.getLogger(__name__)


class Subscriber:
    """Somebody who waits for one task. `seen` is its version that was told last."""

    def __init__(self, id: TaskId, seen: Version) -> None:
        self.id = id
        self.seen = seen
        self.has_ended = False
        self._news: View | None = None
        self._lock = Lock()
        # Rung once for whatever has come. A condition would make a lock for each wait, and hundreds wait.
        self._bell: SimpleQueue[None] = SimpleQueue()

    def next(self, seconds: float) -> View | None:
        """The task when it is another than was seen; None after so many seconds, or where nothing more will come."""
        try:
            self._bell.get(timeout=max(seconds, 0))
        except Empty:
            return None
        with self._lock:
            news, self._news = self._news, None
        return news

    def tell(self, view: View | None) -> None:
        """The task as it is now; nothing more will come after None."""
        with self._lock:
            is_rung = self._news is not None
            if view:
                self.seen, self._news = view.stored.version, view
            else:
                self.has_ended = True
        if view is None or not is_rung:
            self._bell.put(None)


@dataclass(slots=True)
class PollGaps:
    """How soon one look may follow another: at once for who waits alone, seldom while much is heard."""

    _due: float = -inf

    def after(self, now: float, took: float) -> float:
        """Seconds from a look that has ended now, and took so long, to the next."""
        self._due = max(self._due + POLL_GAP_SECONDS, now - (MAX_BURST_POLLS - 1) * POLL_GAP_SECONDS)
        return min(max(self._due - now, MIN_GAP_PER_POLL * took), POLL_SECONDS)


class ChangeFeed:
    """Nothing runs and nobody listens until the first one waits."""

    def __init__(self, storage: AutocommitStore, clock: Clock, listener: Listener, viewer: Viewer, most: int) -> None:
        self._storage = storage
        self._clock = clock
        self._listener = listener
        self._viewer = viewer
        self._most = most
        self._subscribers: set[Subscriber] = set()
        self._lock = Lock()
        self._hint = Event()
        self._closed = Event()
        self._thread: Thread | None = None

    @contextmanager
    def subscribe(self, id: TaskId, seen: Version) -> Iterator[Subscriber | None]:
        """A watcher of that task; None where too many wait already, or nobody is to wait any more."""
        subscriber = self._admitted(Subscriber(id, seen))
        # What has changed since it was seen may have been told of already.
        self._hint.set()
        try:
            yield subscriber
        finally:
            if subscriber:
                with self._lock:
                    self._subscribers.discard(subscriber)

    def close(self) -> None:
        """All who wait are sent away with what they know, and nobody waits any more."""
        self._closed.set()
        for subscriber in self._waiting():
            subscriber.tell(None)
        self._hint.set()
        self._listener.close()
        if self._thread:
            self._thread.join(timeout=2)

    def _admitted(self, subscriber: Subscriber) -> Subscriber | None:
        with self._lock:
            if self._closed.is_set() or len(self._subscribers) >= self._most:
                return None
            if self._thread is None:
                self._listener.listen(lambda _: self._hint.set(), (Topic.CHANGED,))
                self._thread = Thread(target=self._keep_looking, name="changes", daemon=True)
                self._thread.start()
            self._subscribers.add(subscriber)
        return subscriber

    def _waiting(self) -> Sequence[Subscriber]:
        with self._lock:
            return list(self._subscribers)

    def _keep_looking(self) -> None:
        pauses = PollGaps()
        while not self._closed.is_set():
            self._hint.wait(POLL_SECONDS * random.uniform(0.75, 1.25))
            self._hint.clear()
            began = self._clock.monotonic()
            self._try_to_look()
            now = self._clock.monotonic()
            self._closed.wait(pauses.after(now, now - began))

    def _try_to_look(self) -> None:
        try:
            self._look()
        except StorageUnavailable:
            return  # who waits is served by the next look
        except Exception:
            log.exception("whether tasks have changed cannot be told")

    def _look(self) -> None:
        watchers: defaultdict[TaskId, list[Subscriber]] = defaultdict(list)
        for subscriber in self._waiting():
            watchers[subscriber.id].append(subscriber)
        if not watchers:
            return
        versions = self._storage.versions(watchers.keys())
        # A crowd comes last: it would keep others waiting.
        for id, of_it in sorted(watchers.items(), key=lambda each: len(each[1])):
            if behind := [subscriber for subscriber in of_it if subscriber.seen != versions.get(id)]:
                self._tell(id, behind)

    def _tell(self, id: TaskId, watchers: Sequence[Subscriber]) -> None:
        stored = self._storage.get_many([id]).get(id)
        view = self._viewer(stored) if stored else None
        for start in range(0, len(watchers), NOTIFY_BATCH):
            for subscriber in watchers[start : start + NOTIFY_BATCH]:
                subscriber.tell(view)
            if start + NOTIFY_BATCH < len(watchers):
                self._closed.wait(NOTIFY_GAP_SECONDS)
