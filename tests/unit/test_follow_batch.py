"""Following a batch: each change is shown, and the last one always."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from application.batch_feed import BatchSubscriber
from application.errors import StorageUnavailable
from application.ports.batches import BatchRecord, NewBatch
from application.use_cases import follow_batch
from application.use_cases.follow_batch import BatchFollower
from application.use_cases.view_batch import BatchView
from domain.batch import BatchCounts
from domain.ids import BatchId
from tests.steps import NOW, at

RUNNING = BatchRecord(NewBatch(now=NOW, ttl=60).registered(BatchId(1)), BatchCounts({}))
FINISHED = replace(RUNNING, batch=replace(RUNNING.batch, finished=at(1)))


class Feed:
    """A feed with one subscriber, to which the test publishes."""

    def __init__(self) -> None:
        self.subscriber = BatchSubscriber(BatchId(1), RUNNING)

    @contextmanager
    def subscribe(self, _: BatchRecord) -> Iterator[BatchSubscriber]:
        yield self.subscriber


def follower(feed: Feed, *answers: BatchRecord | Exception) -> BatchFollower:
    """A follower to whom the storage gives these answers, one after the other."""
    left = iter(answers)

    def view(_: BatchId) -> BatchView:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return BatchView(answer, ())

    unchecked: Any = view, feed
    return BatchFollower(BatchView(RUNNING, ()), *unchecked)


def test_a_change_that_could_not_be_viewed_is_viewed_later(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(follow_batch, "RETRY_SECONDS", 0.001)
    feed = Feed()
    following = follower(feed, StorageUnavailable(), StorageUnavailable(), FINISHED)
    feed.subscriber.publish(FINISHED)
    assert [each.record for each in following.later()] == [RUNNING, RUNNING, FINISHED]


def test_changes_that_came_meanwhile_are_one_view():
    feed = Feed()
    following = follower(feed, RUNNING, FINISHED).later()
    for _ in range(3):
        feed.subscriber.publish(RUNNING)
    assert next(following).record == RUNNING
    assert not feed.subscriber.wait(0)
    feed.subscriber.publish(FINISHED)
    assert [each.record for each in following] == [FINISHED]
