"""Cleaning: expired tasks are deleted."""

from datetime import datetime

from application.ports.cleaning import DeletedTasks
from domain.ids import TaskId, TypeName
from tests.steps import add, add_one, at, claim, claim_one, fail, submission, succeed, task
from tests.storage import Storage


def clean(storage: Storage, now: datetime, limit: int = 100) -> DeletedTasks:
    with storage.begin() as work:
        expired = work.cleaning.delete_expired(now, limit)
        work.commit()
    return DeletedTasks(expired.deleted, dict(expired.unrun))


def unrun(*ids: int) -> dict[TaskId, TypeName]:
    return {TaskId(id): TypeName("add") for id in ids}


def there(storage: Storage, id: int) -> bool:
    with storage.begin() as work:
        return work.tasks.get(TaskId(id)) is not None


def test_an_expired_task_is_deleted_and_a_younger_one_stays(storage: Storage):
    add(storage, submission(ttl=10), submission(ttl=20))
    assert clean(storage, at(9.9)).deleted == 0
    assert clean(storage, at(10)) == DeletedTasks(1, unrun(1))
    assert (there(storage, 1), there(storage, 2)) == (False, True)


def test_a_running_task_never_expires(storage: Storage):
    add_one(storage, ttl=10)
    claim_one(storage)
    assert clean(storage, at(1000)).deleted == 0


def test_a_finished_task_is_deleted_and_not_counted_as_unrun(storage: Storage):
    add(storage, submission(ttl=10), submission(ttl=10))
    succeed(storage, claim_one(storage))
    assert clean(storage, at(1000)) == DeletedTasks(2, unrun(2))


def test_a_waiting_task_past_its_time_does_not_block_the_others(storage: Storage):
    add(storage, submission(ttl=1), submission(ttl=2), submission(ttl=3))
    claim(storage, 1)
    assert clean(storage, at(100)) == DeletedTasks(2, unrun(2, 3))


def test_the_longest_expired_tasks_are_deleted_first_and_in_batches(storage: Storage):
    add(storage, submission(ttl=30), submission(ttl=10), submission(ttl=20))
    assert list(clean(storage, at(60), limit=2).unrun) == [2, 3]
    assert list(clean(storage, at(60), limit=2).unrun) == [1]


def test_a_finished_task_stays_readable_for_a_minute(storage: Storage):
    add_one(storage, ttl=100)
    running = claim_one(storage)
    succeed(storage, running, at(95))
    assert task(storage, 1).expire >= at(155)
    assert clean(storage, at(154)).deleted == 0
    assert clean(storage, at(157)).deleted == 1


def test_attempts_are_deleted_with_their_task(storage: Storage):
    add_one(storage, ttl=10)
    fail(storage, claim_one(storage))
    assert clean(storage, at(1000)).deleted == 1
    with storage.begin() as work:
        assert list(work.tasks.attempts(TaskId(1))) == []


class TestBounds:
    def test_a_batch_has_a_bound_of_bytes_and_takes_its_first_task_in_any_case(self, storage: Storage):
        add(storage, *(submission(args=f'{{"a":"{"x" * 900}"}}', ttl=ttl) for ttl in (1, 2, 3, 4, 5)))
        batches = [clean_bounded(storage, max_bytes) for max_bytes in (1, 2000, 2000, 2000)]
        assert [list(batch.unrun) for batch in batches] == [[1], [2, 3], [4, 5], []]
        assert [batch.is_full for batch in batches] == [True, True, False, False]

    def test_results_count_as_well(self, storage: Storage):
        add(storage, *[submission(ttl=1)] * 3)
        for _ in range(3):
            succeed(storage, claim_one(storage), result=f'"{"x" * 900}"')
        assert [clean_bounded(storage, 2000).deleted for _ in range(3)] == [2, 1, 0]

    def test_a_batch_that_reached_its_limit_is_full(self, storage: Storage):
        add(storage, *[submission(ttl=1)] * 3)
        assert clean_bounded(storage, 10**9, limit=2).is_full
        assert not clean_bounded(storage, 10**9, limit=2).is_full

    def test_tasks_that_are_left_out_stay(self, storage: Storage):
        add(storage, *[submission(ttl=1)] * 3)
        with storage.begin() as work:
            assert list(work.cleaning.delete_expired(at(60), 100, left_out=[TaskId(2)]).unrun) == [1, 3]


def clean_bounded(storage: Storage, max_bytes: int, limit: int = 100) -> DeletedTasks:
    with storage.begin() as work:
        expired = work.cleaning.delete_expired(at(1000), limit, max_bytes)
        work.commit()
    return expired
