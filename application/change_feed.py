"""The change feed: few polls of the storage serve all threads of this process that wait for tasks to change."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Lock
from typing import Any

from application.errors import UnreadableTask
from application.open_streams import OpenStreams
from application.poller import Poller, PollGaps
from application.ports.autocommit import AutocommitStore
from application.ports.clock import Clock
from application.ports.task_repository import LARGE_BYTES, UNKNOWN_VERSION, TaskRecord, Version
from application.ports.wake_up import Listener, Topic
from application.subscriber import Subscriber, T
from application.view import View, Viewer
from domain.ids import TaskId

VIEW_GAPS = {"seconds": 0.01, "per_poll": 2}
SUMMARY_GAPS = {"seconds": 0.1, "per_poll": 19}
"""Gaps between polls. Those for summaries may look at very many tasks, and take a twentieth of the time at most."""
MAX_AWAITED_TASKS = 100_000
"""Tasks for which the subscribers of one kind may wait together, in one process."""
NOTIFY_BATCH, NOTIFY_GAP_SECONDS = 25, 0.002
"""Subscribers that are notified at once, and seconds until the next batch: each wakes up a thread, and others have work
to do in between."""


class ChangeFeed:
    """Publishes the changes of tasks to subscribers: views of single tasks, or summaries of sets of tasks.

    Each kind has a poller, so that sets delay no view. It starts with the first subscriber of its kind, and the
    listener with the first of all. The view of a large task is a summary, so that no subscriber of another task waits
    while it is read.
    """

    def __init__(
        self, storage: AutocommitStore, clock: Clock, listener: Listener, viewer: Viewer, waits: OpenStreams
    ) -> None:
        self._storage = storage
        self._listener = listener
        self._viewer = viewer
        self._waits = waits
        self._views: set[Subscriber[View]] = set()
        self._summaries: set[Subscriber[TaskRecord]] = set()
        self._view_poller = Poller("change-feed", self._poll_views, clock, PollGaps(**VIEW_GAPS))
        self._summary_poller = Poller("change-feed of sets", self._poll_summaries, clock, PollGaps(**SUMMARY_GAPS))
        self._hints: list[Callable[[], None]] = [self._view_poller.hint, self._summary_poller.hint]
        self._lock = Lock()
        self._is_listening = False
        self._closed = Event()

    @property
    def subscribers(self) -> Sequence[Subscriber[Any]]:
        """The subscribers of this moment."""
        with self._lock:
            return [*self._views, *self._summaries]

    @contextmanager
    def subscribe(self, id: TaskId, seen: Version) -> Iterator[Subscriber[View] | None]:
        """A subscriber of the views of a task; None if there are too many already, or the feed is closed."""
        with self._admitted(Subscriber[View]({id: seen}), self._views, self._view_poller) as subscriber:
            yield subscriber

    @contextmanager
    def subscribe_to_set(self, seen: Mapping[TaskId, Version]) -> Iterator[Subscriber[TaskRecord] | None]:
        """A subscriber of the summaries of tasks; None if there are too many already, or the feed is closed."""
        subscriber = Subscriber[TaskRecord](seen)
        with self._admitted(subscriber, self._summaries, self._summary_poller) as admitted:
            yield admitted

    def extend(self, subscriber: Subscriber[TaskRecord], more: Iterable[TaskId]) -> None:
        """Let a subscriber of a set wait for more tasks, whose present states are published soon."""
        subscriber.wait_for(dict.fromkeys(more, UNKNOWN_VERSION))
        self._summary_poller.hint()

    def hint_too(self, hint: Callable[[], None]) -> None:
        """Let this function be called at each notification, as the pollers are. It is kept once."""
        with self._lock:
            if hint not in self._hints and not self._closed.is_set():
                self._hints.append(hint)
                self._listen()

    def close(self) -> None:
        """End all subscriptions, and admit no others."""
        self._closed.set()
        for subscriber in self.subscribers:
            subscriber.end()
        self._listener.close()
        self._view_poller.close()
        self._summary_poller.close()

    @contextmanager
    def _admitted(
        self, subscriber: Subscriber[T], present: set[Subscriber[T]], poller: Poller
    ) -> Iterator[Subscriber[T] | None]:
        with self._waits.admit() as may_wait:
            with self._lock:
                is_admitted = may_wait and self._has_room(subscriber, present)
                if is_admitted:
                    self._listen()
                    poller.start()
                    present.add(subscriber)
            # A change since `seen` may have been notified before the subscription.
            poller.hint()
            try:
                yield subscriber if is_admitted else None
            finally:
                with self._lock:
                    present.discard(subscriber)

    def _has_room(self, subscriber: Subscriber[T], present: Collection[Subscriber[T]]) -> bool:
        awaited = sum(each.awaited for each in (*present, subscriber))
        return not self._closed.is_set() and awaited <= MAX_AWAITED_TASKS

    def _listen(self) -> None:
        if not self._is_listening:
            self._is_listening = True
            self._listener.listen(lambda _: self._hint(), (Topic.CHANGED,))

    def _hint(self) -> None:
        for hint in self._hints:
            hint()

    def _poll_views(self) -> None:
        with self._lock:
            present = list(self._views)
        by_task: defaultdict[TaskId, list[tuple[Subscriber[View], Version]]] = defaultdict(list)
        for subscriber in present:
            for id, seen in subscriber.seen.items():
                by_task[id].append((subscriber, seen))
        if not by_task:
            return
        versions = self._storage.versions(by_task.keys())
        # The tasks with the fewest subscribers come first, since many subscribers take a while to notify.
        for id, subscribers in sorted(by_task.items(), key=lambda each: len(each[1])):
            if outdated := [subscriber for subscriber, seen in subscribers if seen != versions.get(id)]:
                self._publish(id, outdated)

    def _publish(self, id: TaskId, subscribers: Sequence[Subscriber[View]]) -> None:
        """Publish the view of the task, which is made once for all."""
        change = {id: self._view(id)}
        for start in range(0, len(subscribers), NOTIFY_BATCH):
            for subscriber in subscribers[start : start + NOTIFY_BATCH]:
                subscriber.publish(change)
            if start + NOTIFY_BATCH < len(subscribers):
                self._closed.wait(NOTIFY_GAP_SECONDS)

    def _view(self, id: TaskId) -> View | None:
        try:
            stored = self._storage.get_many([id], LARGE_BYTES).get(id)
        except UnreadableTask:
            return None
        return self._viewer(stored) if stored else None

    def _poll_summaries(self) -> None:
        with self._lock:
            seen_by = {subscriber: subscriber.seen for subscriber in self._summaries}
        known = known_to_all(seen_by.values())
        changed = self._storage.changed(known) if known else {}
        for subscriber, seen in seen_by.items():
            subscriber.publish({id: each for id, each in changed.items() if _is_news(seen.get(id), each)})


def known_to_all(each_seen: Iterable[Mapping[TaskId, Version]]) -> Mapping[TaskId, Version]:
    """The version of each task that all who wait for it have seen; UNKNOWN_VERSION where they have seen others."""
    known: dict[TaskId, Version] = {}
    for seen in each_seen:
        for id, version in seen.items():
            known[id] = version if known.get(id, version) == version else UNKNOWN_VERSION
    return known


def _is_news(seen: Version | None, record: TaskRecord | None) -> bool:
    return seen is not None and (record is None or record.version != seen)
