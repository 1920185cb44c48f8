"""The batch feed: one poll of the storage serves all threads of this process that wait for batches to change."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Lock

from application.change_feed import ChangeFeed
from application.open_streams import OpenStreams
from application.poller import Poller, PollGaps
from application.ports.batches import BatchRecord
from application.ports.clock import Clock
from application.ports.unit_of_work import Begin
from domain.ids import BatchId

GAP_SECONDS, MIN_GAPS_PER_POLL = 0.1, 19
"""Gaps between polls: a batch of many quick tasks changes all the time."""


class BatchSubscriber:
    """One thread that waits for changes of one batch. `seen` is the record that was published to it last."""

    def __init__(self, id: BatchId, seen: BatchRecord) -> None:
        self.id = id
        self.seen: BatchRecord | None = seen
        self.has_ended = False
        self._signals: SimpleQueue[None] = SimpleQueue()

    def wait(self, seconds: float) -> bool:
        """Wait for changes, or for the end; whether one of them has come within so many seconds."""
        try:
            self._signals.get(timeout=max(seconds, 0))
        except Empty:
            return False
        # One view shows all changes that came while the thread was busy.
        while not self._signals.empty():
            self._signals.get()
        return True

    def publish(self, record: BatchRecord | None) -> None:
        """Tell that the batch is another one now; None if it is gone."""
        self.seen = record
        self._signals.put(None)

    def end(self) -> None:
        """End the subscription: nothing follows."""
        self.has_ended = True
        self._signals.put(None)


class BatchFeed:
    """Publishes the changes of batches. It looks soon after the change feed was notified, and once a second."""

    def __init__(self, begin: Begin, clock: Clock, change_feed: ChangeFeed, waits: OpenStreams) -> None:
        self._begin = begin
        self._change_feed = change_feed
        self._waits = waits
        self._subscribers: set[BatchSubscriber] = set()
        self._poller = Poller("batch-feed", self._poll, clock, PollGaps(GAP_SECONDS, MIN_GAPS_PER_POLL))
        self._lock = Lock()
        self._is_closed = False

    @property
    def subscribers(self) -> int:
        """The number of subscribers."""
        with self._lock:
            return len(self._subscribers)

    @contextmanager
    def subscribe(self, seen: BatchRecord) -> Iterator[BatchSubscriber | None]:
        """A subscriber of a batch; None if there are too many already, or the feed is closed."""
        subscriber = BatchSubscriber(seen.batch.id, seen)
        with self._waits.admit() as may_wait:
            with self._lock:
                is_admitted = may_wait and not self._is_closed
                if is_admitted:
                    self._subscribers.add(subscriber)
                    self._poller.start()
            if is_admitted:
                self._change_feed.hint_too(self._poller.hint)
                # A change since `seen` may have been notified before the subscription.
                self._poller.hint()
            try:
                yield subscriber if is_admitted else None
            finally:
                with self._lock:
                    self._subscribers.discard(subscriber)

    def close(self) -> None:
        """End all subscriptions, and admit no others."""
        with self._lock:
            self._is_closed = True
            present = list(self._subscribers)
        for subscriber in present:
            subscriber.end()
        self._poller.close()

    def _poll(self) -> None:
        by_batch: defaultdict[BatchId, list[BatchSubscriber]] = defaultdict(list)
        with self._lock:
            for subscriber in self._subscribers:
                by_batch[subscriber.id].append(subscriber)
        if not by_batch:
            return
        with self._begin() as work:
            records = {id: work.batches.get(id) for id in by_batch}
        for id, subscribers in by_batch.items():
            for subscriber in subscribers:
                if subscriber.seen != records[id]:
                    subscriber.publish(records[id])
