"""Dependencies in a real database: transactions that change the same tasks at the same time."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier
from typing import Any

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryWakeUp
from adapters.postgres import Database
from application.conflict_retry import retry_on_conflict
from application.ports.batches import NewBatch
from application.use_cases.revive import revive
from application.use_cases.unblock_tasks import UnblockTasks
from domain.dependencies import Dependencies
from domain.ids import BatchId, TaskId
from domain.instants import NEVER
from domain.settlement import Settlement
from domain.status import Status
from tests.administrator import Administrator
from tests.concurrency import asked
from tests.steps import NOW, add_one, claim, claim_one, save, submission, succeed, task
from tests.storage import Storage


def add_after(storage: Storage, *parents: int, number: int = 1, **options: Any) -> Collection[TaskId]:
    """Add tasks that wait for these, and return their ids."""
    with storage.begin() as work:
        ids = added(work, *parents, number=number, **options)
        work.commit()
    return ids


def added(work: Any, *parents: int, number: int = 1, **options: Any) -> Collection[TaskId]:
    waits = Dependencies(parents=frozenset(map(TaskId, parents)))
    ids = [task.id for task in work.tasks.add([submission(dependencies=waits, **options)] * number) if task]
    assert not work.dependencies.add(dict.fromkeys(ids, waits))
    return ids


def unblocker(storage: Storage) -> UnblockTasks:
    return UnblockTasks(storage.begin, storage.pending, ManualClock(NOW), MemoryWakeUp())


def unblock(storage: Storage) -> list[TaskId]:
    return [task.id for task in unblocker(storage)().tasks]


def test_a_locked_dependent_is_decided_on_once_it_is_free_and_its_neighbours_before(storage: Storage):
    add_one(storage)
    locked, free = add_after(storage, 1, number=2)
    succeed(storage, claim_one(storage))
    with storage.begin() as other:
        other.tasks.lock(locked)
        assert unblock(storage) == [free]
        assert unblock(storage) == []
        assert storage.pending.has_changed_parents()
    assert unblock(storage) == [locked]
    assert not storage.pending.has_changed_parents()


def test_a_change_that_another_process_takes_is_left_to_it(storage: Storage):
    add_one(storage)
    (child,) = add_after(storage, 1)
    succeed(storage, claim_one(storage))
    with storage.begin() as other:
        assert other.dependencies.take_undecided(10).dependents
        assert unblock(storage) == []
    assert unblock(storage) == [child]


def test_a_parent_that_ends_while_a_task_is_added_after_it_lets_that_run(
    storage: Storage, background: ThreadPoolExecutor
):
    add_one(storage)
    running = claim_one(storage)
    with storage.begin() as work:
        (child,) = added(work, running.id)
        end = Settlement.succeeded(running, NOW, "1")
        settling = background.submit(retry_on_conflict(lambda: storage.autocommit.settle([end])))
        work.commit()
    assert settling.result().parents_ended
    assert unblock(storage) == [child]


def test_a_parent_of_others_that_ends_while_a_task_is_added_after_it_lets_that_run(storage: Storage):
    add_one(storage)
    (first,) = add_after(storage, 1)
    running = claim_one(storage)
    with storage.begin() as work:
        (second,) = added(work, running.id)
        succeed(storage, running)
        assert unblock(storage) == [first]
        work.commit()
    assert unblock(storage) == [second]


def test_a_task_that_fails_by_its_parent_while_that_is_retried_waits_again(storage: Storage):
    add_one(storage)
    (child,) = add_after(storage, 1)
    save(storage, task(storage, 1).cancel(NOW))
    with storage.begin() as failing:
        (dependent,) = failing.dependencies.take_undecided(10).dependents
        save(storage, task(storage, 1).retry(NOW, 1))
        assert unblock(storage) == []
        decided = dependent.decided(NOW)
        assert decided
        assert decided.status is Status.FAILED
        failing.tasks.save(decided)
        failing.commit()
    assert unblock(storage) == [child]
    assert task(storage, child).is_blocked


def test_many_processes_that_unblock_at_once_decide_on_each_task_once(storage: Storage, background: ThreadPoolExecutor):
    for _ in range(20):
        add_one(storage)
    children = [id for parent in range(1, 21) for id in add_after(storage, parent, parent % 20 + 1, number=3)]
    for each in claim(storage, 100):
        succeed(storage, each.task)

    def unblock_all(_: int) -> list[TaskId]:
        unblock, changed = unblocker(storage), []
        while storage.pending.has_changed_parents():
            changed += [task.id for task in unblock(5).tasks]
        return changed

    found = [id for changed in background.map(unblock_all, range(6)) for id in changed]
    assert sorted(found) == children


def test_a_task_that_cannot_be_changed_keeps_no_other_blocked(storage: Storage, administrator: Administrator):
    add_one(storage)
    odd, fine = add_after(storage, 1, number=2)
    succeed(storage, claim_one(storage))
    administrator.refuses("UPDATE", "tasks", f"OLD.id = {odd} AND NEW.run_at < '9999-01-01'")
    use_case = unblocker(storage)
    assert use_case().has_more
    assert [task.id for task in use_case().tasks] == [fine]
    assert storage.pending.has_changed_parents()
    administrator.leave()
    assert unblock(storage) == [odd]


class TestBatches:
    """A dependent that has failed, and would wait again in a batch that cannot be changed, or not now."""

    @pytest.fixture
    def waiting(self, storage: Storage) -> tuple[TaskId, TaskId]:
        """A failed task of batch 1 whose parent was retried, and a task whose parent is done, behind it."""
        with storage.begin() as work:
            batch = work.batches.add(NewBatch(now=NOW, ttl=600))
            assert batch
            work.commit()
        add_one(storage)
        (failed,) = add_after(storage, 1, batch=batch.id)
        save(storage, task(storage, 1).cancel(NOW))
        assert unblock(storage) == [failed]
        done = add_one(storage)
        (free,) = add_after(storage, done.id)
        succeed(storage, claim_one(storage))
        save(storage, task(storage, 1).retry(NOW, 1))
        return failed, free

    def test_a_locked_batch_holds_up_its_own_tasks_alone(self, storage: Storage, waiting: tuple[TaskId, TaskId]):
        failed, free = waiting
        with storage.begin() as other:
            other.batches.lock(BatchId(1))
            use_case = unblocker(storage)
            unblocked = use_case()
            assert ([task.id for task in unblocked.tasks], unblocked.has_more) == ([free], False)
            assert use_case().tasks == []
            assert storage.pending.has_changed_parents()
        assert unblock(storage) == [failed]

    def test_a_batch_that_cannot_be_changed_holds_up_its_own_tasks_alone(
        self, storage: Storage, administrator: Administrator, waiting: tuple[TaskId, TaskId]
    ):
        failed, free = waiting
        administrator.refuses("UPDATE", "batches", "OLD.id = 1")
        use_case = unblocker(storage)
        assert use_case().has_more
        assert [task.id for task in use_case().tasks] == [free]
        assert storage.pending.has_changed_parents()
        administrator.leave()
        assert unblock(storage) == [failed]


def test_two_additions_at_once_that_would_close_a_circle_see_each_other(
    storage: Storage, background: ThreadPoolExecutor
):
    with storage.begin() as work:
        for _ in range(2):
            assert work.batches.add(NewBatch(now=NOW, ttl=600, is_open=True))
        for then in added(work, number=2):
            work.batches.remember(BatchId(then), [], then)
        work.commit()

    def add(batch: int, parent: int) -> Collection[TaskId]:
        with storage.begin() as work:
            later = work.dependencies.after_batch(BatchId(batch), [TaskId(parent)])
            added(work, parent, batch=batch)
            work.commit()
        return later

    with storage.begin() as work:
        assert not work.dependencies.after_batch(BatchId(1), [TaskId(2)])
        added(work, 2, batch=1)
        other = background.submit(add, 2, 1)
        assert not wait([other], timeout=0.2).done
        work.commit()
    assert other.result() == {1}


def test_two_retries_that_revive_tasks_of_each_others_batches_never_wait_for_each_other(
    storage: Storage, background: ThreadPoolExecutor
):
    with storage.begin() as work:
        for _ in range(2):
            assert work.batches.add(NewBatch(now=NOW, ttl=600))
        work.commit()
    for own, other in ((1, 2), (2, 1)):
        add_after(storage, add_one(storage, batch=own).id, batch=other)
    for id in (1, 3):
        save(storage, task(storage, id).cancel(NOW))
    assert unblock(storage) == [2, 4]
    both_have_failed_ones = Barrier(2)

    def retry(id: int) -> None:
        with storage.begin() as work:
            (parent,) = work.tasks.lock(TaskId(id))
            work.tasks.save(retried := parent.retry(NOW, 1))
            both_have_failed_ones.wait()
            revive(work, [retried], NOW)
            work.commit()

    assert [*background.map(retry, (1, 3))] == [None, None]


@pytest.mark.parametrize("end", ["DELETE FROM tasks WHERE id = 2", "TRUNCATE tasks CASCADE"])
def test_edges_are_deleted_with_the_dependents_however_those_go(storage: Storage, database: Database, end: str):
    add_one(storage)
    add_after(storage, 1)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(end)
    assert asked(database, "SELECT * FROM dependencies") == []
    assert asked(database, "SELECT * FROM changed_parents") == []


def test_the_trigger_knows_the_run_at_of_blocked_tasks(storage: Storage, database: Database):
    add_one(storage)
    (child,) = add_after(storage, 1)
    save(storage, task(storage, child).cancel(NOW))
    save(storage, task(storage, child).retry(NOW, 1))
    assert asked(database, "SELECT parent, first, last FROM changed_parents") == [(1, child, child)]
    assert asked(database, f"SELECT run_at = '{NEVER.isoformat()}' FROM tasks WHERE id = {child}") == [(True,)]
