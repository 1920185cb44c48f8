"""Deliveries: they begin when a task with a callback finishes, and are claimed by one at a time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from domain.delivery import Delivery
from domain.ids import TaskId
from domain.task import Task
from tests.steps import NOW, add, add_one, at, claim_one, fail, rescue, save, stored, submission, succeed, task
from tests.storage import Storage

URL = "https://example.org/told?%s=:b"


def take(storage: Storage, now: datetime = NOW, limit: int = 100, lease: float = 60) -> Sequence[Delivery]:
    with storage.begin() as work:
        claimed = work.deliveries.claim(now, at((now - NOW).total_seconds() + lease), limit)
        work.commit()
    return claimed


def settle(storage: Storage, delivery: Delivery) -> bool:
    with storage.begin() as work:
        settled = work.deliveries.settle(delivery)
        work.commit()
    return settled


def delivery(storage: Storage, id: int = 1) -> Delivery | None:
    return stored(storage, id).delivery


def done(storage: Storage, now: datetime = NOW) -> Task:
    """A task with a callback that is done."""
    add_one(storage, callback=URL, max_attempts=1)
    running = claim_one(storage, now=now)
    assert not succeed(storage, running, now)
    return task(storage, running.id)


FINISHES: dict[str, Callable[[Storage], object]] = {
    "done": lambda storage: succeed(storage, claim_one(storage), at(3)),
    "failed": lambda storage: fail(storage, claim_one(storage), at(3)),
    "lost": lambda storage: claim_one(storage, now=at(-60), lease=1) and rescue(storage, at(3)),
    "cancelled": lambda storage: save(storage, task(storage, 1).cancel(at(3))),
}


@pytest.mark.parametrize("finish", FINISHES.values(), ids=FINISHES)
def test_a_task_with_a_callback_has_a_delivery_however_it_finishes(
    storage: Storage, finish: Callable[[Storage], object]
):
    add_one(storage, callback=URL, max_losses=0, run_at=at(-100))
    assert delivery(storage) is None
    finish(storage)
    assert delivery(storage) == Delivery.of(TaskId(1), URL, at(3))


@pytest.mark.parametrize("finish", FINISHES.values(), ids=FINISHES)
def test_a_task_without_a_callback_has_no_delivery(storage: Storage, finish: Callable[[Storage], object]):
    add_one(storage, max_losses=0, run_at=at(-100))
    finish(storage)
    assert delivery(storage) is None
    assert not take(storage, at(10))


def test_a_task_that_will_be_tried_again_has_no_delivery(storage: Storage):
    add_one(storage, callback=URL, max_attempts=2)
    fail(storage, claim_one(storage))
    assert delivery(storage) is None


def test_a_cancel_that_was_not_committed_creates_no_delivery(storage: Storage):
    add_one(storage, callback=URL)
    with storage.begin() as work:
        (waiting,) = work.tasks.lock(TaskId(1))
        work.tasks.save(waiting.cancel(NOW))
    assert delivery(storage) is None


def test_a_claimed_delivery_is_due_again_when_its_claim_ends(storage: Storage):
    done(storage)
    (claimed,) = take(storage, NOW, lease=60)
    assert claimed == Delivery.of(TaskId(1), URL, NOW).claimed(at(60)) == delivery(storage)
    assert not take(storage, at(59.9))
    assert [each.attempts for each in take(storage, at(60))] == [2]


def test_a_delivery_is_not_claimed_before_it_is_due(storage: Storage):
    done(storage, at(5))
    assert not take(storage, at(4.999999))
    assert take(storage, at(5))


def test_the_longest_due_deliveries_are_claimed_first_and_no_more_than_the_limit(storage: Storage):
    add(storage, *(submission(callback=URL) for _ in range(4)))
    for id, finished in ((1, 7), (2, 5), (3, 6), (4, 5)):
        save(storage, task(storage, id).cancel(at(finished)))
    assert [each.id for each in take(storage, at(9), limit=3)] == [2, 4, 3]
    assert [each.id for each in take(storage, at(9), limit=3)] == [1]


def test_a_delivered_delivery_is_not_claimed_again(storage: Storage):
    done(storage)
    (claimed,) = take(storage)
    assert settle(storage, claimed.delivered())
    assert delivery(storage) == claimed.delivered()
    assert not take(storage, at(10**6))


def test_a_failed_delivery_is_claimed_again_when_due_and_keeps_its_error(storage: Storage):
    done(storage)
    (claimed,) = take(storage)
    failed = claimed.failed(at(1), "nul \0 é", jitter=0)
    assert settle(storage, failed)
    assert delivery(storage) == failed
    assert not take(storage, at(5.9))
    assert take(storage, at(6)) == [failed.claimed(at(66))]


def test_a_delivery_that_was_given_up_is_not_claimed_again(storage: Storage):
    done(storage)
    (claimed,) = take(storage)
    assert settle(storage, claimed.given_up("gone"))
    assert delivery(storage) == claimed.given_up("gone")
    assert not take(storage, at(10**6))


def test_a_late_answer_under_an_older_claim_changes_nothing(storage: Storage):
    done(storage)
    (slow,) = take(storage)
    (newer,) = take(storage, at(61))
    assert not settle(storage, slow.failed(at(62), "late", 0))
    assert not settle(storage, slow.delivered())
    assert delivery(storage) == newer
    assert settle(storage, newer.delivered())
    assert not settle(storage, newer.failed(at(62), "later", 0))
    assert delivery(storage) == newer.delivered()


@pytest.mark.parametrize("end", [None, Delivery.delivered, lambda each: each.given_up("gone")])
def test_a_retried_task_has_a_new_delivery_when_it_finishes_again(
    storage: Storage, end: Callable[[Delivery], Delivery] | None
):
    add_one(storage, callback=URL)
    fail(storage, claim_one(storage))
    (before,) = take(storage)
    if end:
        settle(storage, end(before))
    save(storage, task(storage, 1).retry(at(1), 1))
    assert delivery(storage) is None
    assert not settle(storage, before.delivered())
    succeed(storage, claim_one(storage, now=at(2)), at(3))
    assert delivery(storage) == Delivery.of(TaskId(1), URL, at(3))
    assert not settle(storage, before.delivered())
    (again,) = take(storage, at(3))
    assert again.attempts == before.attempts
    assert not settle(storage, before.delivered())
    assert delivery(storage) == again


def test_a_delivery_is_deleted_with_its_task(storage: Storage):
    for _ in range(2):
        done(storage)
    with storage.begin() as work:
        work.tasks.remove(TaskId(1))
        work.commit()
    with storage.begin() as work:
        assert work.cleaning.delete_expired(at(10**6), 10).deleted == 1
        work.commit()
    assert not take(storage, at(10**6))


def test_an_unknown_delivery_cannot_be_settled(storage: Storage):
    assert not settle(storage, Delivery.of(TaskId(7), URL, NOW).claimed(at(60)).delivered())


def test_a_callback_is_kept_with_its_task(storage: Storage):
    added = add_one(storage, callback=URL)
    assert added.callback == URL
    assert stored(storage, 1).task == added
    assert claim_one(storage).callback == URL
    assert replace(added, callback=None) != added
