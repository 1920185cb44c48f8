"""Batches: their counts follow every change of their tasks, and they finish when all of these have."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from application.ports.batches import BatchRecord, NewBatch
from domain.batch import Batch, BatchCount, BatchCounts
from domain.delivery import Delivery, Subject
from domain.dependencies import Dependencies
from domain.ids import BatchId, IdempotencyKey, Owner, TaskId
from tests.steps import NOW, add, at, claim_one, fail, save, submission, succeed, task
from tests.storage import Storage

URL = "https://example.org/told"
WAITING, RUNNING, DONE = BatchCount.WAITING, BatchCount.RUNNING, BatchCount.DONE
FAILED, CANCELLED, DELETED = BatchCount.FAILED, BatchCount.CANCELLED, BatchCount.DELETED


def new_batch(storage: Storage, tasks: int = 0, **given: Any) -> Batch:
    """Add a batch with so many tasks."""
    with storage.begin() as work:
        batch = work.batches.add(NewBatch(now=NOW, ttl=given.pop("ttl", 600), **given))
        assert batch is not None
        work.tasks.add([submission(batch=batch.id)] * tasks)
        work.commit()
    return batch


def record(storage: Storage, id: int = 1) -> BatchRecord:
    with storage.begin() as work:
        found = work.batches.get(BatchId(id))
    assert found is not None
    return found


def counts(storage: Storage, id: int = 1) -> dict[BatchCount, int]:
    """The counts by each way of reading them, before and after they are folded."""
    before = dict(record(storage, id).counts.by_status)
    fold(storage)
    with storage.begin() as work:
        assert work.batches.counts([BatchId(id)]) == {id: BatchCounts(before)}
        assert [dict(each.counts.by_status) for each in work.batches.search(BatchId(id + 1), 1)] == [before]
    return before


def fold(storage: Storage) -> None:
    with storage.begin() as work:
        work.batches.fold(work.batches.unfolded(1_000))
        work.commit()


def due(storage: Storage, seconds: float = 1) -> Sequence[int]:
    fold(storage)
    with storage.begin() as work:
        return work.batches.due(at(seconds), 10)


def due_after(storage: Storage, id: int, limit: int = 10) -> Sequence[int]:
    with storage.begin() as work:
        return work.batches.due(at(1), limit, BatchId(id))


def finish(storage: Storage, id: int = 1, seconds: float = 1) -> Batch:
    """Finish the batch if it is ready, as the use case does."""
    with storage.begin() as work:
        (batch,) = work.batches.lock_free([BatchId(id)])
        finished = batch.finished_at(at(seconds), work.batches.counts([batch.id])[batch.id])
        work.batches.save(finished)
        work.commit()
    return finished


def remove(storage: Storage, *ids: int) -> None:
    with storage.begin() as work:
        work.tasks.remove(*map(TaskId, ids))
        work.commit()


def delete_expired(storage: Storage, seconds: float) -> int:
    """Delete expired batches; return the number of those that were deleted."""
    with storage.begin() as work:
        before = len(work.batches.search(None, 10))
        work.batches.delete_expired(at(seconds), 10)
        deleted = before - len(work.batches.search(None, 10))
        work.commit()
    return deleted


class TestAdding:
    def test_a_batch_is_stored_as_it_was_added(self, storage: Storage):
        batch = new_batch(storage, name="swéep \0 1", labels='{"user":"ana"}', callback="https://a/b", is_open=True)
        assert record(storage).batch == batch
        assert (batch.id, batch.created, batch.expire, batch.is_open) == (1, NOW, at(600), True)
        assert (batch.name, batch.labels, batch.callback) == ("swéep \0 1", '{"user":"ana"}', "https://a/b")

    def test_an_unknown_batch_is_none(self, storage: Storage):
        with storage.begin() as work:
            assert (work.batches.get(BatchId(7)), work.batches.lock(BatchId(7))) == (None, None)
            assert (work.batches.lock_for_adding(BatchId(7)), work.batches.lock_free([BatchId(7)])) == (None, [])

    def test_a_batch_that_is_rolled_back_leaves_nothing(self, storage: Storage):
        with storage.begin() as work:
            work.batches.add(NewBatch(now=NOW, ttl=60))
        with storage.begin() as work:
            assert work.batches.search(None, 10) == []

    def test_a_key_belongs_to_one_batch_with_the_ids_of_its_tasks(self, storage: Storage):
        key = IdempotencyKey("k")
        batch = new_batch(storage, key=key, fingerprint="f")
        with storage.begin() as work:
            work.batches.remember(batch.id, [TaskId(5), TaskId(3)], TaskId(9))
            assert work.batches.add(NewBatch(now=NOW, ttl=60, key=key)) is None
            work.commit()
        with storage.begin() as work:
            found = work.batches.with_key(key)
            assert work.batches.with_key(IdempotencyKey("l")) is None
            assert not any(each.ids for each in [work.batches.get(batch.id), *work.batches.search(None, 1)] if each)
        assert found is not None
        assert (found.batch, tuple(found.ids), found.fingerprint) == (replace(batch, then=TaskId(9)), (5, 3), "f")

    def test_the_newest_batches_come_first(self, storage: Storage):
        for _ in range(3):
            new_batch(storage)
        with storage.begin() as work:
            assert [each.batch.id for each in work.batches.search(None, 2)] == [3, 2]
            assert [each.batch.id for each in work.batches.search(BatchId(2), 2)] == [1]


class TestCounts:
    def test_an_empty_batch_has_no_counts(self, storage: Storage):
        new_batch(storage)
        assert counts(storage) == {}
        assert (record(storage).counts.total, record(storage).counts.finished) == (0, 0)

    def test_counts_follow_every_change_of_the_tasks(self, storage: Storage):
        new_batch(storage, tasks=5)
        add(storage, submission("other"))
        assert counts(storage) == {WAITING: 5}
        succeed(storage, claim_one(storage))
        fail(storage, claim_one(storage))
        claim_one(storage)
        save(storage, task(storage, 4).cancel(at(1)))
        assert counts(storage) == {WAITING: 1, RUNNING: 1, DONE: 1, FAILED: 1, CANCELLED: 1}
        assert (record(storage).counts.total, record(storage).counts.finished) == (5, 3)

    def test_a_retried_task_is_counted_as_waiting_again(self, storage: Storage):
        new_batch(storage, tasks=1)
        fail(storage, claim_one(storage))
        save(storage, task(storage, 1).retry(at(1), 1))
        assert counts(storage) == {WAITING: 1}

    def test_a_deleted_or_expired_task_stays_counted(self, storage: Storage):
        new_batch(storage, tasks=3)
        succeed(storage, claim_one(storage))
        remove(storage, 1)
        with storage.begin() as work:
            assert work.cleaning.delete_expired(at(10_000), 1).deleted == 1
            work.commit()
        assert counts(storage) == {WAITING: 1, DELETED: 2}
        assert (record(storage).counts.total, record(storage).counts.finished) == (3, 2)

    def test_each_batch_has_counts_of_its_own(self, storage: Storage):
        new_batch(storage, tasks=2)
        new_batch(storage, tasks=1)
        succeed(storage, claim_one(storage))
        assert (counts(storage, 1), counts(storage, 2)) == ({WAITING: 1, DONE: 1}, {WAITING: 1})

    def test_a_change_that_is_rolled_back_is_not_counted(self, storage: Storage):
        new_batch(storage, tasks=1)
        with storage.begin() as work:
            work.tasks.add([submission(batch=1)])
            work.tasks.remove(TaskId(1))
        assert counts(storage) == {WAITING: 1}


class TestFinishing:
    def test_an_empty_closed_batch_is_due_at_once(self, storage: Storage):
        new_batch(storage)
        assert due(storage) == [1]
        assert finish(storage).finished == at(1)
        assert due(storage) == []

    def test_due_batches_come_by_rising_id_behind_any_of_them(self, storage: Storage):
        for _ in range(3):
            new_batch(storage)
        assert [due_after(storage, 0, limit=2), due_after(storage, 2, limit=2), due_after(storage, 3)] == [
            [1, 2],
            [3],
            [],
        ]

    def test_a_batch_is_due_once_all_of_its_tasks_have_finished(self, storage: Storage):
        new_batch(storage, tasks=3)
        finish(storage)
        assert due(storage) == []
        succeed(storage, claim_one(storage))
        fail(storage, claim_one(storage))
        assert (due(storage), finish(storage).finished) == ([], None)
        remove(storage, 3)
        assert (due(storage), finish(storage).finished) == ([1], at(1))
        assert record(storage).batch.finished == at(1)

    def test_an_open_batch_does_not_finish(self, storage: Storage):
        new_batch(storage, is_open=True)
        assert finish(storage).finished is None
        assert due(storage) == []
        with storage.begin() as work:
            batch = work.batches.lock(BatchId(1))
            assert batch is not None
            work.batches.save(batch.closed())
            work.commit()
        assert finish(storage).finished == at(1)

    def test_an_open_batch_that_has_expired_is_due(self, storage: Storage):
        new_batch(storage, is_open=True, ttl=60, tasks=1)
        finish(storage)
        assert due(storage, 59) == []
        assert due(storage, 60) == [1]

    def test_a_finished_batch_goes_on_when_a_task_is_retried_and_finishes_again(self, storage: Storage):
        new_batch(storage, tasks=1)
        fail(storage, claim_one(storage))
        finish(storage)
        with storage.begin() as work:
            (failed,) = work.tasks.lock(TaskId(1))
            work.tasks.save(failed.retry(at(2), 1))
            work.batches.resume([BatchId(1), BatchId(9)])
            work.commit()
        assert record(storage).batch.finished is None
        assert due(storage) == []
        succeed(storage, claim_one(storage, now=at(2)), at(3))
        assert due(storage) == [1]
        assert finish(storage, seconds=3).finished == at(3)

    def test_a_batch_that_no_transaction_has_locked_goes_on_without_waiting(self, storage: Storage):
        new_batch(storage)
        finish(storage)
        with storage.begin() as work:
            assert work.batches.resume_free([BatchId(1), BatchId(9)]) == set()
            work.commit()
        assert record(storage).batch.finished is None

    def test_pending_work_names_batches_that_are_ready(self, storage: Storage):
        new_batch(storage, tasks=1)
        new_batch(storage)
        new_batch(storage, is_open=True)
        ids = [BatchId(id) for id in (1, 2, 3, 9)]
        assert storage.pending.has_batch_work(at(1))
        assert [*storage.pending.finished_batches(ids)] == [2]
        succeed(storage, claim_one(storage))
        assert sorted(storage.pending.finished_batches(ids)) == [1, 2]
        assert storage.pending.has_batch_work(at(1))
        for id in (1, 2, 3):
            fold(storage)
            finish(storage, id)
        assert not storage.pending.has_batch_work(at(1))
        assert not storage.pending.finished_batches(ids)


class TestExpiring:
    def test_a_finished_batch_stays_readable_for_a_minute(self, storage: Storage):
        new_batch(storage, ttl=100)
        assert finish(storage, seconds=99.5).expire == at(99 + 61)

    def test_a_finished_batch_without_tasks_is_deleted_once_it_has_expired(self, storage: Storage):
        new_batch(storage, ttl=100)
        assert delete_expired(storage, 200) == 0
        finish(storage)
        assert (delete_expired(storage, 99), delete_expired(storage, 100), delete_expired(storage, 100)) == (0, 1, 0)
        with storage.begin() as work:
            assert work.batches.get(BatchId(1)) is None

    def test_a_batch_with_tasks_is_kept_and_looked_at_again(self, storage: Storage):
        new_batch(storage, ttl=100, tasks=1)
        succeed(storage, claim_one(storage))
        finish(storage)
        with storage.begin() as work:
            assert [work.batches.delete_expired(at(100), 10) for _ in range(2)] == [1, 0]
            work.commit()
        remove(storage, 1)
        assert (delete_expired(storage, 159), delete_expired(storage, 160)) == (0, 1)

    def test_a_batch_is_kept_while_the_task_that_follows_it_may_be_retried(self, storage: Storage):
        batch = new_batch(storage, ttl=100)
        with storage.begin() as work:
            work.tasks.add([submission(ttl=1000, dependencies=Dependencies(parents=frozenset()))])
            work.batches.remember(batch.id, [], TaskId(1))
            work.commit()
        save(storage, task(storage, 1).cancel(NOW))
        finish(storage)
        assert delete_expired(storage, 100) == 0
        save(storage, task(storage, 1).retry(at(101), 1))
        with storage.begin() as work:
            work.batches.resume([], then=[TaskId(1)])
            work.commit()
        assert due(storage, 101) == [batch.id]
        remove(storage, 1)
        assert delete_expired(storage, 160) == 1


def test_tasks_of_a_batch_have_it(storage: Storage):
    new_batch(storage, tasks=1)
    add(storage, submission())
    assert (task(storage, 1).batch, task(storage, 2).batch) == (1, None)
    assert claim_one(storage).batch == 1


class TestDeliveries:
    def claim(self, storage: Storage, seconds: float = 1) -> Sequence[Delivery]:
        with storage.begin() as work:
            claimed = work.deliveries.claim(at(seconds), at(seconds + 60), 10)
            work.commit()
        return claimed

    def test_a_batch_with_a_callback_has_a_delivery_once_it_has_finished(self, storage: Storage):
        new_batch(storage, callback=URL)
        assert (record(storage).delivery, self.claim(storage)) == (None, [])
        finish(storage)
        expected = Delivery.of_batch(BatchId(1), URL, at(1))
        new_batch(storage, callback=URL)
        new_batch(storage)
        assert record(storage).delivery == expected
        with storage.begin() as work:
            listed = work.batches.search(None, 10)
            assert [(each.batch.id, each.delivery) for each in listed] == [(3, None), (2, None), (1, expected)]
        assert self.claim(storage) == [expected.claimed(at(61))]
        assert self.claim(storage) == []

    def test_a_batch_without_a_callback_has_none(self, storage: Storage):
        new_batch(storage)
        finish(storage)
        assert (record(storage).delivery, self.claim(storage)) == (None, [])

    def test_each_finish_has_a_delivery_of_its_own(self, storage: Storage):
        new_batch(storage, callback=URL)
        finish(storage)
        (first,) = self.claim(storage)
        with storage.begin() as work:
            work.batches.resume([BatchId(1)])
            work.commit()
        assert record(storage).delivery is None
        finish(storage, seconds=5)
        (second,) = self.claim(storage, 5)
        assert second.finished == at(5)
        with storage.begin() as work:
            assert not work.deliveries.settle(first.delivered())
            assert work.deliveries.settle(second.delivered())
            work.commit()
        assert record(storage).delivery == second.delivered()

    def test_deliveries_of_batches_come_first(self, storage: Storage):
        new_batch(storage, callback=URL)
        finish(storage)
        add(storage, submission(callback=URL))
        succeed(storage, claim_one(storage), at(1))
        assert [(each.subject, each.id) for each in self.claim(storage)] == [(Subject.BATCH, 1), (Subject.TASK, 1)]

    def test_a_deleted_batch_leaves_no_delivery(self, storage: Storage):
        new_batch(storage, ttl=60, callback=URL)
        finish(storage)
        assert delete_expired(storage, 100) == 1
        assert self.claim(storage, 100) == []


class TestOwners:
    def test_a_batch_has_the_owner_with_whom_it_was_added(self, storage: Storage):
        new_batch(storage)
        new_batch(storage, owner=Owner("ana"))
        assert [record(storage, id).owner for id in (1, 2)] == [None, "ana"]

    def test_a_search_for_an_owner_finds_its_batches_alone(self, storage: Storage):
        for owner in ("ana", None, "ben", "ana", "ana"):
            new_batch(storage, owner=owner and Owner(owner))
        with storage.begin() as work:
            assert [each.batch.id for each in work.batches.search(None, 10, Owner("ana"))] == [5, 4, 1]
            assert [each.batch.id for each in work.batches.search(BatchId(5), 1, Owner("ana"))] == [4]
            assert work.batches.search(None, 10, Owner("cleo")) == []
