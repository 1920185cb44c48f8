"""Batches on a real database: counted without waiting, and finished once, by whichever process is first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database
from application.ports.batches import BatchRecord, NewBatch
from application.ports.listing import FAILED, Filter
from application.ports.unit_of_work import UnitOfWork
from application.use_cases import finish_batches
from application.use_cases.close_batch import CloseBatch
from application.use_cases.finish_batches import FinishBatches
from domain.dependencies import Dependencies
from domain.ids import BatchId, TaskId
from domain.submission import Submission
from tests.administrator import Administrator
from tests.concurrency import asked, until_waiting
from tests.integration.test_postgres_plans import explained
from tests.steps import NOW, add, add_one, at, claim, claim_one, fail, submission, succeed, task
from tests.storage import Storage, in_postgres

CHANGES = "SELECT count(*) FROM batch_count_changes"
URL = "https://example.org/told"


@pytest.fixture
def storage(database: Database) -> Storage:
    return in_postgres(database)


@pytest.fixture
def finish(storage: Storage) -> FinishBatches:
    return FinishBatches(storage.begin, storage.pending, ManualClock(), MemoryWakeUp())


def new_batch(storage: Storage, tasks: int = 0, then: bool = False, is_open: bool = False) -> BatchId:
    """Add a batch with so many tasks; the task that follows it has the next id."""
    with storage.begin() as work:
        batch = work.batches.add(NewBatch(now=NOW, ttl=600, is_open=is_open, callback=URL))
        assert batch
        work.tasks.add([submission(batch=batch.id)] * tasks)
        if then:
            (follower,) = work.tasks.add([blocked()])
            assert follower
            work.batches.remember(batch.id, (), follower.id)
        work.commit()
    return batch.id


def blocked() -> Submission:
    """A task that waits for no other task, but for a batch."""
    return replace(submission("then"), dependencies=Dependencies(parents=frozenset()))


def record(storage: Storage, id: int = 1) -> BatchRecord:
    with storage.begin() as work:
        found = work.batches.get(BatchId(id))
    assert found
    return found


def fold(storage: Storage) -> int:
    with storage.begin() as work:
        folded = work.batches.fold(work.batches.unfolded(1_000))
        work.commit()
    return folded


class TestCounting:
    def test_transactions_that_change_tasks_of_one_batch_wait_for_none(self, storage: Storage):
        new_batch(storage, tasks=2)
        first, second = claim(storage)
        with storage.begin() as work:
            work.tasks.lock(first.task.id)
            work.tasks.save(first.task.cancel(at(1)))
            assert not succeed(storage, second.task)
            assert record(storage).counts.finished == 1
            work.commit()
        assert record(storage).counts.finished == 2

    def test_folding_beside_other_folding_and_changes_loses_no_count(
        self, storage: Storage, background: ThreadPoolExecutor
    ):
        for _ in range(3):
            new_batch(storage, tasks=20)
        folding = [background.submit(lambda: [fold(storage) for _ in range(20)]) for _ in range(3)]
        for _ in range(30):
            succeed(storage, claim_one(storage))
        for each in folding:
            each.result()
        assert [record(storage, id).counts.total for id in (1, 2, 3)] == [20] * 3
        assert sum(record(storage, id).counts.finished for id in (1, 2, 3)) == 30

    def test_changes_become_few_entries_and_none_in_the_end(self, storage: Storage, database: Database):
        new_batch(storage, tasks=3)
        assert asked(database, CHANGES) == [(1,)]
        assert (fold(storage), fold(storage)) == (1, 0)
        assert asked(database, CHANGES) == [(0,)]

    def test_a_locked_batch_is_folded_later(self, storage: Storage):
        new_batch(storage, tasks=1)
        new_batch(storage, tasks=1)
        with storage.begin() as work:
            work.batches.lock(BatchId(1))
            assert fold(storage) == 1
        assert fold(storage) == 1

    def test_a_batch_to_which_tasks_are_being_added_is_folded_and_its_tasks_are_retried(self, storage: Storage):
        new_batch(storage, tasks=1, is_open=True)
        fail(storage, claim_one(storage))
        with storage.begin() as work:
            assert work.batches.lock_for_adding(BatchId(1))
            assert fold(storage) == 5
            with storage.begin() as other:
                other.batches.resume([BatchId(1)])
                other.commit()

    def test_changes_of_a_batch_that_is_not_there_are_dropped(self, storage: Storage, database: Database):
        add(storage, submission(batch=77))
        assert (fold(storage), asked(database, CHANGES)) == (1, [(0,)])

    def test_truncated_tasks_leave_no_batch(self, storage: Storage, database: Database):
        new_batch(storage, tasks=1)
        with database.engine.begin() as connection:
            connection.exec_driver_sql("TRUNCATE tasks CASCADE")
        assert asked(database, "SELECT count(*) FROM batches") == asked(database, CHANGES) == [(0,)]


class TestFinishing:
    def test_a_batch_finishes_once_however_many_processes_try(
        self, storage: Storage, finish: FinishBatches, background: ThreadPoolExecutor
    ):
        ids = [new_batch(storage) for _ in range(20)]
        tries = [background.submit(finish, ids) for _ in range(4)]
        finished = [batch.id for each in tries for batch in each.result()]
        while finish.due():
            pass
        assert sorted(finished) == sorted({*finished})
        assert all(record(storage, id).batch.finished for id in ids)

    def test_the_last_of_two_that_end_tasks_at_once_sees_that_all_have_ended(
        self, storage: Storage, finish: FinishBatches
    ):
        new_batch(storage, tasks=2)
        first, second = claim(storage)
        with storage.begin() as work:
            work.tasks.lock(first.task.id)
            work.tasks.save(first.task.cancel(at(1)))
            succeed(storage, second.task)
            assert finish([BatchId(1)]) == []
            work.commit()
        assert [each.id for each in finish([BatchId(1)])] == [1]

    def test_a_locked_batch_holds_up_no_other(self, storage: Storage, finish: FinishBatches):
        new_batch(storage)
        new_batch(storage)
        with storage.begin() as work:
            work.batches.lock(BatchId(1))
            assert [each.id for each in finish([BatchId(1), BatchId(2)])] == [2]
        assert not finish.due()
        assert record(storage).batch.finished

    def test_a_locked_follower_holds_up_its_batch_alone(self, storage: Storage, finish: FinishBatches):
        new_batch(storage, then=True)
        new_batch(storage)
        with storage.begin() as work:
            work.tasks.lock(TaskId(1))
            assert [each.id for each in finish([BatchId(1), BatchId(2)])] == [2]
        finish.due()
        assert record(storage).batch.finished
        assert not task(storage, 1).is_blocked

    def test_a_batch_that_cannot_be_changed_holds_up_no_other(
        self, storage: Storage, finish: FinishBatches, administrator: Administrator
    ):
        first, second, third = (new_batch(storage) for _ in range(3))
        administrator.refuses("UPDATE", "batches", "OLD.id = 1")
        assert [each.id for each in finish([first, second])] == [second]
        finish.due()
        assert (record(storage).batch.finished, bool(record(storage, third).batch.finished)) == (None, True)

    def test_a_batch_whose_counts_cannot_be_folded_holds_up_no_other(
        self, storage: Storage, finish: FinishBatches, administrator: Administrator, database: Database
    ):
        for _ in range(3):
            new_batch(storage, tasks=1)
        administrator.refuses("UPDATE", "batches", "OLD.id = 2")
        for _ in range(3):
            succeed(storage, claim_one(storage))
        finish.due()
        assert [bool(record(storage, id).batch.finished) for id in (1, 2, 3)] == [True, False, True]
        assert asked(database, "SELECT DISTINCT batch FROM batch_count_changes") == [(2,)]

    def test_batches_that_are_held_up_keep_no_later_one_waiting(
        self, storage: Storage, finish: FinishBatches, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(finish_batches, "BATCHES", 2)
        monkeypatch.setattr(finish_batches, "FOLDED_ENTRIES", 2)
        for _ in range(5):
            new_batch(storage, tasks=1)
            succeed(storage, claim_one(storage))
        with storage.begin() as work:
            for id in (1, 2, 3, 4):
                work.batches.lock(BatchId(id))
            while finish.due():
                pass
            assert record(storage, 5).batch.finished
        while finish.due():
            pass
        assert all(record(storage, id).batch.finished for id in (1, 2, 3, 4))

    def test_closing_waits_for_those_who_add_tasks(
        self, storage: Storage, database: Database, finish: FinishBatches, background: ThreadPoolExecutor
    ):
        new_batch(storage, is_open=True)
        with storage.begin() as work:
            assert work.batches.lock_for_adding(BatchId(1))
            with storage.begin() as other:
                assert other.batches.lock_for_adding(BatchId(1))
            closing = background.submit(CloseBatch(storage.begin, finish), BatchId(1))
            until_waiting(database)
            work.tasks.add([submission(batch=1)])
            work.commit()
        closing.result()
        assert (record(storage).batch.is_open, record(storage).batch.finished) == (False, None)

    def test_a_finish_that_is_rolled_back_starts_and_tells_nothing(self, storage: Storage):
        new_batch(storage, then=True)
        with storage.begin() as work:
            (batch,) = work.batches.lock_free([BatchId(1)])
            work.batches.save(batch.finished_at(at(1), work.batches.counts([batch.id])[batch.id]))
        assert record(storage).delivery is None
        assert task(storage, 1).is_blocked


def batch_with_a_failed_task(storage: Storage) -> BatchId:
    with storage.begin() as work:
        batch = work.batches.add(NewBatch(now=NOW, ttl=600))
        assert batch
        work.commit()
    add_one(storage, batch=batch.id)
    fail(storage, claim_one(storage))
    return batch.id


def test_a_batch_that_another_transaction_is_finishing_goes_on_with_a_retried_task(
    storage: Storage, database: Database, background: ThreadPoolExecutor
):
    id = batch_with_a_failed_task(storage)
    with storage.begin() as retrying:
        (failed,) = retrying.tasks.lock(TaskId(1))
        retrying.tasks.save(failed.retry(at(1), 1))
        with storage.begin() as finishing:
            (batch,) = finishing.batches.lock_free([id])
            finishing.batches.save(batch.finished_at(at(1), finishing.batches.counts([id])[id]))
            resumed = background.submit(retrying.batches.resume, [id])
            until_waiting(database)
            finishing.commit()
        resumed.result()
        retrying.commit()
    assert record(storage, id).batch.finished is None


def test_a_batch_with_a_task_that_another_transaction_retries_is_left_alone(storage: Storage):
    id = batch_with_a_failed_task(storage)
    with storage.begin() as retrying:
        (failed,) = retrying.tasks.lock(TaskId(1))
        retrying.tasks.save(failed.retry(at(1), 1))
        retrying.batches.resume([id])
        with storage.begin() as finishing:
            assert finishing.batches.lock_free([id]) == []
        retrying.commit()
    assert record(storage, id).batch.finished is None


FILL = """
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses, status, finished,
        result, batch)
    SELECT 'add', '{}', now(), now(), now() + interval '1 day', 60, 0, 1, 3, status,
        CASE status WHEN 'done' THEN now() END, CASE status WHEN 'done' THEN '1' END, batch
    FROM generate_series(1, 4000) AS number
    CROSS JOIN (VALUES ('waiting', NULL), ('done', 1), ('done', NULL)) AS kind (status, batch);
    VACUUM ANALYZE tasks
"""
QUESTIONS: dict[str, tuple[Callable[[UnitOfWork], object], int]] = {
    "page": (lambda work: work.listing.search(Filter(batch=BatchId(1)), None, 50), 500),
    "page of the failed": (lambda work: work.listing.search(Filter(batch=BatchId(1), statuses=FAILED), None, 50), 10),
    "ends": (lambda work: work.listing.search_by_end(Filter(batch=BatchId(1)), None, 50), 200),
    "first failures": (lambda work: work.listing.first_failures(BatchId(1), 5), 10),
    "record": (lambda work: work.batches.get(BatchId(1)), 10),
    "due": (lambda work: work.batches.due(at(1), 100), 10),
    "unfolded": (lambda work: work.batches.unfolded(100), 50),
    "fold": (lambda work: work.batches.fold([BatchId(1)]), 50),
    "expired": (lambda work: work.batches.delete_expired(at(1_000), 100), 20),
}
"""Questions about the batch, and the most pages that their statements may read."""


def test_questions_about_a_batch_read_few_pages(storage: Storage, database: Database):
    """The batch has 4,000 tasks that are done, beside 8,000 others."""
    new_batch(storage)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in FILL.split(";"):
            connection.exec_driver_sql(statement)
    for name, (ask, most) in QUESTIONS.items():
        with explained(database) as plans, storage.begin() as work:
            ask(work)
        assert plans, name
        assert not any(plan.reads_all_tasks for plan in plans), name
        assert sum(plan.buffers for plan in plans) <= most, (name, [plan.buffers for plan in plans])
