"""Cleaning: expired tasks are deleted."""

from datetime import datetime

from application.ports.cleaning import DeletedTasks
from application.ports.unit_of_work import Begin
from domain.ids import TaskId
from tests.steps import add, add_one, at, claim, claim_one, fail, submission, succeed, task


def clean(begin: Begin, now: datetime, limit: int = 100) -> DeletedTasks:
    with begin() as work:
        expired = work.cleaning.delete_expired(now, limit)
        work.commit()
    return DeletedTasks(expired.deleted, list(expired.unrun))


def there(begin: Begin, id: int) -> bool:
    with begin() as work:
        return work.tasks.get(TaskId(id)) is not None


def test_an_expired_task_goes_and_a_younger_one_stays(begin: Begin):
    add(begin, submission(ttl=10), submission(ttl=20))
    assert clean(begin, at(9.9)).deleted == 0
    assert clean(begin, at(10)) == DeletedTasks(1, [1])
    assert (there(begin, 1), there(begin, 2)) == (False, True)


def test_a_running_task_never_expires(begin: Begin):
    add_one(begin, ttl=10)
    claim_one(begin)
    assert clean(begin, at(1000)).deleted == 0


def test_a_finished_task_is_deleted_without_counting_among_the_unrun(begin: Begin):
    add(begin, submission(ttl=10), submission(ttl=10))
    succeed(begin, claim_one(begin))
    assert clean(begin, at(1000)) == DeletedTasks(2, [2])


def test_a_waiting_task_past_its_time_does_not_block_the_others(begin: Begin):
    add(begin, submission(ttl=1), submission(ttl=2), submission(ttl=3))
    claim(begin, 1)
    assert clean(begin, at(100)) == DeletedTasks(2, [2, 3])


def test_the_longest_expired_go_first_and_in_batches(begin: Begin):
    add(begin, submission(ttl=30), submission(ttl=10), submission(ttl=20))
    assert list(clean(begin, at(60), limit=2).unrun) == [2, 3]
    assert list(clean(begin, at(60), limit=2).unrun) == [1]


def test_a_finished_task_stays_readable_for_a_minute(begin: Begin):
    add_one(begin, ttl=100)
    running = claim_one(begin)
    succeed(begin, running, at(95))
    assert task(begin, 1).expire >= at(155)
    assert clean(begin, at(154)).deleted == 0
    assert clean(begin, at(157)).deleted == 1


def test_attempts_go_with_their_task(begin: Begin):
    add_one(begin, ttl=10)
    fail(begin, claim_one(begin))
    assert clean(begin, at(1000)).deleted == 1
    with begin() as work:
        assert list(work.tasks.attempts(TaskId(1))) == []
