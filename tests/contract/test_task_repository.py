"""The task repository: tasks as they are submitted, viewed and changed."""

from dataclasses import replace

import pytest

from application.ports.queue import ProgressReport
from domain.errors import InvalidTransition
from domain.ids import Owner, TaskId
from domain.progress import Progress
from domain.status import Status
from tests.contract.conftest import Add
from tests.steps import NOW, add, add_one, at, claim_one, fail, report, save, stored, submission, succeed, task
from tests.storage import Storage


def test_a_task_is_stored_as_submitted(storage: Storage, add_once: Add):
    submitted = submission(
        args='{"a":1}', labels='{"user":"ana"}', priority=7, max_attempts=3, max_losses=0, timeout=2.5
    )
    (added,) = add_once(submitted)
    assert added == submitted.registered(TaskId(1))
    assert (stored(storage, added.id).task, stored(storage, added.id).args) == (added, '{"a":1}')


def test_a_unit_of_work_that_was_not_committed_leaves_nothing_behind(storage: Storage):
    with storage.begin() as work:
        (task,) = work.tasks.add([submission()])
    assert task is not None
    with storage.begin() as work:
        assert work.tasks.get(task.id) is None


def test_a_unit_of_work_that_raises_leaves_nothing_behind(storage: Storage):
    with pytest.raises(ZeroDivisionError), storage.begin() as work:
        (task,) = work.tasks.add([submission()])
        raise ZeroDivisionError
    assert task is not None
    with storage.begin() as work:
        assert work.tasks.get(task.id) is None


def test_ids_rise_from_1_in_the_order_of_adding(storage: Storage, add_once: Add):
    tasks = add_once(*(submission(args=f'{{"n":{n}}}') for n in range(50)))
    assert [task and task.id for task in tasks] == list(range(1, 51))
    assert [stored(storage, id).args for id in range(1, 51)] == [f'{{"n":{n}}}' for n in range(50)]


def test_thousands_of_tasks_are_stored_in_the_order_of_adding(storage: Storage, add_once: Add):
    added = add_once(*(submission(args=f"[{n}]") for n in range(4500)))
    assert [task and task.id for task in added] == list(range(1, 4501))
    some = (1, 2000, 2001, 4000, 4001, 4500)
    assert [stored(storage, id).args for id in some] == [f"[{id - 1}]" for id in some]


@pytest.mark.parametrize("id", [0, 1, 2**63 - 1])
def test_an_unknown_id_has_no_task(storage: Storage, id: int):
    with storage.begin() as work:
        assert work.tasks.get(TaskId(id)) is None
        assert list(work.tasks.lock(TaskId(id))) == []


@pytest.mark.parametrize(
    "args",
    [
        '{"nul":"\\u0000"}',
        '{"z":1,"a":2,"m":-0.0}',
        '{"n":' + "9" * 4300 + "}",
        '{"t":"%s %(a)s :b \'\\\\ 😀"}',
        '{"x":1e-320}',
    ],
)
def test_arguments_come_back_as_they_went_in(storage: Storage, add_once: Add, args: str):
    add_once(submission(args=args))
    assert stored(storage, 1).args == args


def test_a_result_comes_back_as_it_went_in(storage: Storage):
    add_one(storage)
    succeed(storage, claim_one(storage), result='{"b":[1.0,null],"a":"\\u0000"}')
    assert stored(storage, 1).result == '{"b":[1.0,null],"a":"\\u0000"}'


def test_a_cancelled_task_is_kept_as_saved(storage: Storage):
    add_one(storage)
    save(storage, task(storage, 1).cancel(at(1)))
    assert task(storage, 1).status is Status.CANCELLED
    assert task(storage, 1).finished == at(1)


def test_a_retried_task_waits_under_its_id_with_attempts_left(storage: Storage):
    add_one(storage)
    fail(storage, claim_one(storage))
    failed = task(storage, 1)
    save(storage, failed.retry(at(5), attempts=2))
    assert task(storage, 1) == failed.retry(at(5), attempts=2)
    assert claim_one(storage, now=at(5)).attempt == 2


def test_a_removed_task_is_gone_with_its_attempts(storage: Storage):
    add_one(storage)
    fail(storage, claim_one(storage))
    with storage.begin() as work:
        work.tasks.lock(TaskId(1))
        work.tasks.remove(TaskId(1))
        work.commit()
    with storage.begin() as work:
        assert work.tasks.get(TaskId(1)) is None
        assert list(work.tasks.attempts(TaskId(1))) == []


def test_several_tasks_are_removed_at_once(storage: Storage):
    for _ in range(3):
        add_one(storage)
    with storage.begin() as work:
        work.tasks.remove(TaskId(1), TaskId(3))
        work.tasks.remove()
        work.commit()
    with storage.begin() as work:
        assert [work.tasks.get(TaskId(id)) is None for id in (1, 2, 3)] == [True, False, True]


def test_a_running_task_may_not_be_removed(storage: Storage):
    add_one(storage)
    with pytest.raises(InvalidTransition):
        claim_one(storage).check_deletable()


def test_times_come_back_to_the_microsecond(storage: Storage):
    run_at = at(3600.123456)
    assert stored(storage, add_one(storage, run_at=run_at).id).task.run_at == run_at
    assert stored(storage, 1).task.created == NOW


def version(storage: Storage, id: int) -> int:
    return storage.autocommit.versions([TaskId(id)])[TaskId(id)]


def test_a_task_has_another_version_after_every_change(storage: Storage):
    add_one(storage)
    seen = [version(storage, 1)]

    def note() -> None:
        seen.append(version(storage, 1))

    running = claim_one(storage)
    note()
    report(storage, ProgressReport(running.hold, at(1), Progress(0.5)))
    note()
    fail(storage, running)
    note()
    save(storage, task(storage, 1).retry(at(5), attempts=2))
    note()
    assert len(set(seen)) == len(seen)
    assert 0 not in seen


def test_waiting_tasks_of_an_owner_are_counted_up_to_a_limit(storage: Storage):
    ana, ben = Owner("ana"), Owner("ben")
    add(storage, *(replace(submission(), owner=owner) for owner in (ana, None, ben, ana, ana, ana)))
    save(storage, task(storage, 1).cancel(NOW))
    with storage.begin() as work:
        work.tasks.lock_owner(ana)
        assert [work.tasks.waiting_of(owner, 10) for owner in (ana, ben, Owner("cleo"))] == [3, 1, 0]
        assert work.tasks.waiting_of(ana, 2) == 2
        work.tasks.add([replace(submission(), owner=ana)])
        assert work.tasks.waiting_of(ana, 10) == 4
