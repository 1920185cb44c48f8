"""Reruns: each task that runs another one again is linked with it until it is deleted."""

from collections.abc import Sequence

from application.ports.unit_of_work import Begin
from domain.ids import TaskId
from domain.task import Task
from tests.steps import add_one, at, submission
from tests.storage import Storage


def rerun(storage: Storage, origin: TaskId, ttl: int = 600) -> Task:
    """Add a task that runs another one again."""
    with storage.begin() as work:
        (task,) = work.tasks.add([submission(ttl=ttl)])
        assert task
        work.reruns.add(task.id, origin)
        work.commit()
    return task


def origin(begin: Begin, task: TaskId) -> TaskId | None:
    with begin() as work:
        return work.reruns.origin(task)


def reruns(begin: Begin, task: TaskId, limit: int = 10) -> Sequence[TaskId]:
    with begin() as work:
        return list(work.reruns.of(task, limit))


def remove(storage: Storage, task: Task) -> None:
    with storage.begin() as work:
        work.tasks.lock(task.id)
        work.tasks.remove(task.id)
        work.commit()


def test_a_task_that_was_submitted_plainly_has_no_origin_and_no_reruns(storage: Storage):
    task = add_one(storage)
    assert (origin(storage.begin, task.id), reruns(storage.begin, task.id)) == (None, [])


def test_a_rerun_and_its_origin_know_each_other(storage: Storage):
    first = add_one(storage)
    second = rerun(storage, first.id)
    assert (origin(storage.begin, second.id), reruns(storage.begin, first.id)) == (first.id, [second.id])


def test_the_newest_reruns_come_first_up_to_the_limit(storage: Storage):
    first = add_one(storage)
    ids = [rerun(storage, first.id).id for _ in range(4)]
    assert reruns(storage.begin, first.id, 3) == ids[:0:-1]


def test_a_rerun_of_a_rerun_is_linked_with_it_alone(storage: Storage):
    first = add_one(storage)
    second = rerun(storage, first.id)
    third = rerun(storage, second.id)
    assert origin(storage.begin, third.id) == second.id
    assert reruns(storage.begin, first.id) == [second.id]


def test_a_link_that_was_not_committed_is_not_there(storage: Storage):
    first, second = add_one(storage), add_one(storage)
    with storage.begin() as work:
        work.reruns.add(second.id, first.id)
    assert reruns(storage.begin, first.id) == []


def test_a_deleted_rerun_is_no_rerun_of_its_origin_any_more(storage: Storage):
    first = add_one(storage)
    second, third = rerun(storage, first.id), rerun(storage, first.id)
    remove(storage, second)
    assert (origin(storage.begin, second.id), reruns(storage.begin, first.id)) == (None, [third.id])


def test_a_rerun_still_names_its_origin_when_that_is_deleted(storage: Storage):
    first = add_one(storage)
    second = rerun(storage, first.id)
    remove(storage, first)
    assert origin(storage.begin, second.id) == first.id


def test_an_expired_rerun_is_deleted_with_its_link(storage: Storage):
    first, _ = add_one(storage, ttl=600), add_one(storage, ttl=10)
    rerun(storage, first.id, ttl=10)
    with storage.begin() as work:
        assert work.cleaning.delete_expired(at(20), 10).deleted == 2
        work.commit()
    assert reruns(storage.begin, first.id) == []
