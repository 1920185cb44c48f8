"""Deliveries: they begin when a task with a callback finishes, and are claimed by one at a time."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from application.ports.unit_of_work import Begin
from domain.delivery import Delivery
from domain.ids import TaskId
from domain.task import Task
from tests.steps import NOW, add, add_one, at, claim_one, fail, rescue, save, stored, submission, succeed, task

URL = "https://example.org/told?%s=:b"


def take(begin: Begin, now: datetime = NOW, limit: int = 100, lease: float = 60) -> Sequence[Delivery]:
    with begin() as work:
        claimed = work.deliveries.claim(now, at((now - NOW).total_seconds() + lease), limit)
        work.commit()
    return claimed


def settle(begin: Begin, delivery: Delivery) -> bool:
    with begin() as work:
        settled = work.deliveries.settle(delivery)
        work.commit()
    return settled


def delivery(begin: Begin, id: int = 1) -> Delivery | None:
    return stored(begin, id).delivery


def done(begin: Begin, now: datetime = NOW) -> Task:
    """A task with a callback that is done."""
    add_one(begin, callback=URL, max_attempts=1)
    running = claim_one(begin, now=now)
    assert not succeed(begin, running, now)
    return task(begin, running.id)


FINISHES: dict[str, Callable[[Begin], object]] = {
    "done": lambda begin: succeed(begin, claim_one(begin), at(3)),
    "failed": lambda begin: fail(begin, claim_one(begin), at(3)),
    "lost": lambda begin: claim_one(begin, now=at(-60), lease=1) and rescue(begin, at(3)),
    "cancelled": lambda begin: save(begin, task(begin, 1).cancel(at(3))),
}


@pytest.mark.parametrize("finish", FINISHES.values(), ids=FINISHES)
def test_a_task_with_a_callback_has_a_delivery_however_it_finishes(begin: Begin, finish: Callable[[Begin], object]):
    add_one(begin, callback=URL, max_losses=0, run_at=at(-100))
    assert delivery(begin) is None
    finish(begin)
    assert delivery(begin) == Delivery.of(TaskId(1), URL, at(3))


@pytest.mark.parametrize("finish", FINISHES.values(), ids=FINISHES)
def test_a_task_without_a_callback_has_no_delivery(begin: Begin, finish: Callable[[Begin], object]):
    add_one(begin, max_losses=0, run_at=at(-100))
    finish(begin)
    assert delivery(begin) is None
    assert not take(begin, at(10))


def test_a_task_that_will_be_tried_again_has_not_finished(begin: Begin):
    add_one(begin, callback=URL, max_attempts=2)
    fail(begin, claim_one(begin))
    assert delivery(begin) is None


def test_a_finish_that_was_not_committed_begins_no_delivery(begin: Begin):
    add_one(begin, callback=URL)
    with begin() as work:
        (waiting,) = work.tasks.lock(TaskId(1))
        work.tasks.save(waiting.cancel(NOW))
    assert delivery(begin) is None


def test_a_claimed_delivery_is_due_again_only_at_the_end_of_its_claim(begin: Begin):
    done(begin)
    (claimed,) = take(begin, NOW, lease=60)
    assert claimed == Delivery.of(TaskId(1), URL, NOW).claimed(at(60)) == delivery(begin)
    assert not take(begin, at(59.9))
    assert [each.attempts for each in take(begin, at(60))] == [2]


def test_a_delivery_is_not_due_before_its_time(begin: Begin):
    done(begin, at(5))
    assert not take(begin, at(4.999999))
    assert take(begin, at(5))


def test_the_longest_due_deliveries_come_first_and_no_more_than_the_limit(begin: Begin):
    add(begin, *(submission(callback=URL) for _ in range(4)))
    for id, finished in ((1, 7), (2, 5), (3, 6), (4, 5)):
        save(begin, task(begin, id).cancel(at(finished)))
    assert [each.task for each in take(begin, at(9), limit=3)] == [2, 4, 3]
    assert [each.task for each in take(begin, at(9), limit=3)] == [1]


def test_a_delivered_delivery_is_not_claimed_again(begin: Begin):
    done(begin)
    (claimed,) = take(begin)
    assert settle(begin, claimed.delivered())
    assert delivery(begin) == claimed.delivered()
    assert not take(begin, at(10**6))


def test_a_failed_delivery_is_claimed_again_when_it_is_due_and_says_why(begin: Begin):
    done(begin)
    (claimed,) = take(begin)
    failed = claimed.failed(at(1), "nul \0 é", jitter=0)
    assert settle(begin, failed)
    assert delivery(begin) == failed
    assert not take(begin, at(5.9))
    assert take(begin, at(6)) == [failed.claimed(at(66))]


def test_a_delivery_that_was_given_up_is_not_claimed_again(begin: Begin):
    done(begin)
    (claimed,) = take(begin)
    assert settle(begin, claimed.given_up("gone"))
    assert delivery(begin) == claimed.given_up("gone")
    assert not take(begin, at(10**6))


def test_the_late_answer_of_a_slow_delivery_changes_nothing(begin: Begin):
    done(begin)
    (slow,) = take(begin)
    (newer,) = take(begin, at(61))
    assert not settle(begin, slow.failed(at(62), "late", 0))
    assert not settle(begin, slow.delivered())
    assert delivery(begin) == newer
    assert settle(begin, newer.delivered())
    assert not settle(begin, newer.failed(at(62), "later", 0))
    assert delivery(begin) == newer.delivered()


@pytest.mark.parametrize("end", [None, Delivery.delivered, lambda each: each.given_up("gone")])
def test_a_retried_task_has_a_delivery_when_it_finishes_again(begin: Begin, end: Callable[[Delivery], Delivery] | None):
    add_one(begin, callback=URL)
    fail(begin, claim_one(begin))
    (before,) = take(begin)
    if end:
        settle(begin, end(before))
    save(begin, task(begin, 1).retry(at(1), 1))
    assert delivery(begin) is None
    assert not settle(begin, before.delivered())
    succeed(begin, claim_one(begin, now=at(2)), at(3))
    assert delivery(begin) == Delivery.of(TaskId(1), URL, at(3))
    assert not settle(begin, before.delivered())
    (again,) = take(begin, at(3))
    assert again.attempts == before.attempts
    assert not settle(begin, before.delivered())
    assert delivery(begin) == again


def test_a_delivery_ends_with_its_task(begin: Begin):
    for _ in range(2):
        done(begin)
    with begin() as work:
        work.tasks.remove(TaskId(1))
        work.commit()
    with begin() as work:
        assert work.cleaning.delete_expired(at(10**6), 10).deleted == 1
        work.commit()
    assert not take(begin, at(10**6))


def test_an_unknown_delivery_cannot_be_settled(begin: Begin):
    assert not settle(begin, Delivery.of(TaskId(7), URL, NOW).claimed(at(60)).delivered())


def test_a_callback_is_kept_with_its_task(begin: Begin):
    added = add_one(begin, callback=URL)
    assert added.callback == URL
    assert stored(begin, 1).task == added
    assert claim_one(begin).callback == URL
    assert replace(added, callback=None) != added
