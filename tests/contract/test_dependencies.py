"""Dependencies: a task that waits for others runs if and only if these let it, and after they do."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import pytest

from adapters.clocks import ManualClock
from adapters.memory import MemoryWakeUp
from application.ports.batches import NewBatch
from application.use_cases.finish_batches import FinishBatches
from application.use_cases.revive import revive
from application.use_cases.unblock_tasks import UnblockTasks
from domain.dependencies import Dependencies, IfFailed
from domain.failure import Error
from domain.ids import BatchId, TaskId
from domain.instants import NEVER
from domain.settlement import Settlement
from domain.status import Status
from domain.task import Task
from tests.steps import NOW, add_one, at, claim, claim_one, fail, ids, rescue, save, stored, submission, succeed, task
from tests.storage import Storage

RUN, FAIL = IfFailed.RUN, IfFailed.FAIL


def add_after(
    storage: Storage,
    *parents: Task | int,
    if_failed: IfFailed = FAIL,
    run_at: datetime | None = None,
    unblocks: bool = True,
    **options: Any,
) -> Task:
    """Add a task that waits for these."""
    waits = Dependencies(parents=frozenset(map(id_of, parents)), if_failed=if_failed, run_at=run_at)
    with storage.begin() as work:
        (added,) = work.tasks.add([submission(run_at=run_at, dependencies=waits, **options)])
        assert added
        assert not work.dependencies.add({added.id: waits})
        work.commit()
    if unblocks:
        unblock(storage)
    return added


def id_of(task: Task | int) -> TaskId:
    return TaskId(task) if isinstance(task, int) else task.id


def unblock(storage: Storage, now: datetime = NOW, limit: int = 1000) -> Collection[TaskId]:
    """Decide on all that is undecided, and return the ids of the changed tasks."""
    use_case = UnblockTasks(storage.begin, storage.pending, ManualClock(now), MemoryWakeUp())
    changed: list[TaskId] = []
    while True:
        unblocked = use_case(limit)
        changed += [task.id for task in unblocked.tasks]
        if not unblocked.has_more:
            return changed


def cancel(storage: Storage, task: Task, now: datetime = NOW) -> None:
    save(storage, stored(storage, task.id).task.cancel(now))


def retry(storage: Storage, task: Task, now: datetime = NOW) -> None:
    save(storage, stored(storage, task.id).task.retry(now, 1))


def delete(storage: Storage, task: Task) -> None:
    with storage.begin() as work:
        work.tasks.lock(task.id)
        work.tasks.remove(task.id)
        work.commit()


def expire(storage: Storage, now: datetime) -> int:
    with storage.begin() as work:
        deleted = work.cleaning.delete_expired(now, 100)
        work.commit()
    return deleted.deleted


def run(storage: Storage, now: datetime = NOW) -> None:
    """Claim the next task, which is done."""
    assert not succeed(storage, claim_one(storage, now=now), now)


def run_all(storage: Storage, now: datetime = NOW) -> Sequence[int]:
    """Run what is due, and then what is unblocked by it, until nothing is due."""
    order: list[int] = []
    while claimed := claim(storage, now=now):
        order += ids(claimed)
        for each in claimed:
            assert not succeed(storage, each.task, now)
        unblock(storage, now)
    return order


class TestBlocked:
    def test_a_task_with_a_parent_is_blocked_and_never_claimed(self, storage: Storage):
        parent = add_one(storage, type="other")
        added = add_after(storage, parent)
        assert (added.run_at, added.expire, added.is_blocked) == (NEVER, NEVER, True)
        assert task(storage, added.id) == added
        assert ids(claim(storage, now=at(10**9))) == []

    def test_a_blocked_task_never_expires(self, storage: Storage):
        add_after(storage, add_one(storage, ttl=10**6))
        assert not storage.pending.has_expired(at(10**5))
        assert expire(storage, at(10**5)) == 0

    def test_the_record_of_a_task_names_its_parents(self, storage: Storage):
        first, second = add_one(storage), add_one(storage)
        added = add_after(storage, second, first)
        assert stored(storage, added.id).parents == (1, 2)
        assert stored(storage, 1).parents == ()
        with storage.begin() as work:
            record = work.tasks.get(added.id)
        assert record
        assert record.parents == (1, 2)

    def test_the_parents_of_tasks_are_found_that_are_among_them(self, storage: Storage):
        first, second = add_one(storage), add_one(storage)
        third = add_after(storage, first, second)
        fourth = add_after(storage, third, first)
        with storage.begin() as work:
            assert work.dependencies.parents_among([first.id, third.id, fourth.id]) == {3: {1}, 4: {1, 3}}
            assert work.dependencies.parents_among([first.id, second.id]) == {}

    def test_a_parent_that_does_not_exist_is_named(self, storage: Storage):
        parent = add_one(storage)
        waits = Dependencies(parents=frozenset({parent.id, TaskId(77), TaskId(78)}))
        with storage.begin() as work:
            (added,) = work.tasks.add([submission(dependencies=waits)])
            assert added
            assert work.dependencies.add({added.id: waits}) == {77, 78}

    def test_nothing_is_undecided_while_the_parent_runs(self, storage: Storage):
        add_one(storage)
        claim_one(storage)
        add_after(storage, 1)
        assert unblock(storage) == []
        assert not storage.pending.has_changed_parents()


class TestEndOfTheParents:
    def test_a_task_is_due_once_its_parent_is_done(self, storage: Storage):
        add_one(storage)
        child = add_after(storage, 1, ttl=30)
        run(storage, at(5))
        assert storage.pending.has_changed_parents()
        assert ids(claim(storage, now=at(5))) == []
        assert unblock(storage, at(7)) == [child.id]
        assert task(storage, child.id).run_at == at(7)
        assert task(storage, child.id).expire == at(37)
        assert not storage.pending.has_changed_parents()
        assert ids(claim(storage, now=at(7))) == [child.id]

    def test_a_task_waits_for_all_its_parents(self, storage: Storage):
        add_one(storage)
        add_one(storage)
        child = add_after(storage, 1, 2)
        run(storage)
        assert unblock(storage) == []
        run(storage)
        assert unblock(storage) == [child.id]

    def test_a_parent_that_ended_before_the_task_was_added_counts(self, storage: Storage):
        add_one(storage)
        run(storage)
        child = add_after(storage, 1, unblocks=False)
        assert child.is_blocked
        assert unblock(storage) == [child.id]
        assert ids(claim(storage)) == [child.id]

    def test_a_delay_holds_after_the_parents_have_ended(self, storage: Storage):
        add_one(storage)
        child = add_after(storage, 1, run_at=at(100), ttl=50)
        run(storage, at(5))
        unblock(storage, at(5))
        assert (task(storage, child.id).run_at, task(storage, child.id).expire) == (at(100), at(150))

    def test_a_delay_that_is_over_holds_nothing_up(self, storage: Storage):
        add_one(storage)
        child = add_after(storage, 1, run_at=at(1))
        run(storage, at(5))
        unblock(storage, at(5))
        assert task(storage, child.id).run_at == at(5)

    def test_a_chain_runs_in_its_order(self, storage: Storage):
        last = add_one(storage)
        for _ in range(4):
            last = add_after(storage, last)
        assert run_all(storage) == [1, 2, 3, 4, 5]

    def test_a_task_that_is_tried_again_has_not_ended(self, storage: Storage):
        add_one(storage, max_attempts=2)
        child = add_after(storage, 1)
        fail(storage, claim_one(storage))
        assert unblock(storage) == []
        assert task(storage, child.id).is_blocked

    def test_a_settlement_tells_whether_a_parent_has_ended(self, storage: Storage):
        for _ in range(3):
            add_one(storage)
        add_after(storage, 2)
        one, two, three = (each.task for each in claim(storage, 3))
        settle = storage.autocommit.settle
        assert not settle([Settlement.succeeded(one, NOW, "1")]).parents_ended
        assert settle([Settlement.succeeded(two, NOW, "1"), Settlement.succeeded(three, NOW, "1")]).parents_ended
        assert settle([Settlement.succeeded(two, NOW, "1")]).parents_ended
        assert not settle([Settlement.succeeded(one, NOW, "1")]).parents_ended


ENDS: dict[str, tuple[Callable[[Storage], object], str]] = {
    "failed": (lambda storage: fail(storage, claim_one(storage)), "task 1 has failed"),
    "lost": (lambda storage: claim_one(storage, now=at(-60), lease=1) and rescue(storage, NOW), "task 1 has failed"),
    "cancelled": (lambda storage: cancel(storage, task(storage, 1)), "task 1 was cancelled"),
    "deleted": (lambda storage: delete(storage, task(storage, 1)), "task 1 was deleted or has expired"),
    "expired": (lambda storage: expire(storage, at(1000)), "task 1 was deleted or has expired"),
}


class TestFailedParents:
    @pytest.mark.parametrize(("end", "why"), ENDS.values(), ids=ENDS)
    def test_a_task_fails_at_once_however_its_parent_has_failed(
        self, storage: Storage, end: Callable[[Storage], object], why: str
    ):
        add_one(storage, max_losses=0, run_at=at(-100), ttl=200)
        other = add_one(storage, type="other", ttl=10**6)
        child = add_after(storage, 1, other, ttl=30)
        end(storage)
        assert unblock(storage, at(3)) == [child.id]
        failed = task(storage, child.id)
        assert (failed.status, failed.error, failed.finished) == (Status.FAILED, Error("ParentFailed", why, 0), at(3))
        assert failed.expire == at(34)

    @pytest.mark.parametrize("end", [end for end, _ in ENDS.values()], ids=ENDS)
    def test_a_task_that_minds_no_failure_runs_after_all_parents(
        self, storage: Storage, end: Callable[[Storage], object]
    ):
        add_one(storage, max_losses=0, run_at=at(-100), ttl=200)
        child = add_after(storage, 1, add_one(storage, type="other", ttl=10**6), if_failed=RUN)
        end(storage)
        assert unblock(storage) == []
        assert not succeed(storage, claim_one(storage, wanted={"other": 1}))
        assert unblock(storage) == [child.id]
        assert task(storage, child.id).run_at == NOW

    def test_a_failure_passes_through_a_chain(self, storage: Storage):
        last = add_one(storage)
        for _ in range(3):
            last = add_after(storage, last)
        cancel(storage, task(storage, 1))
        assert unblock(storage) == [2, 3, 4]
        assert task(storage, 4).error == Error("ParentFailed", "task 3 has failed", 0)

    def test_a_parent_that_failed_before_the_task_was_added_fails_it(self, storage: Storage):
        add_one(storage)
        cancel(storage, task(storage, 1))
        child = add_after(storage, 1, add_one(storage))
        assert task(storage, child.id).status is Status.FAILED

    def test_a_new_task_fails_by_any_of_its_parents_while_another_one_was_retried(self, storage: Storage):
        for _ in range(3):
            add_one(storage)
        add_after(storage, 1, 2, 3)
        for each in (1, 2):
            cancel(storage, task(storage, each))
        unblock(storage)
        child = add_after(storage, 1, 2, 3, unblocks=False)
        retry(storage, task(storage, 1))
        assert child.id in unblock(storage)
        assert task(storage, child.id).error == Error("ParentFailed", "task 2 was cancelled", 0)

    def test_a_cancelled_task_is_decided_on_no_more(self, storage: Storage):
        add_one(storage)
        child = add_after(storage, 1, ttl=30)
        cancel(storage, child, at(4))
        cancelled = task(storage, child.id)
        assert cancelled.expire == at(35)
        run(storage)
        assert unblock(storage) == []
        assert task(storage, child.id) == cancelled


class TestTasksAfterABatch:
    def test_those_that_wait_for_its_end_are_found_by_way_of_others_and_of_their_batches(self, storage: Storage):
        with storage.begin() as work:
            for _ in range(2):
                assert work.batches.add(NewBatch(now=NOW, ttl=600))
            work.commit()
        follows = Dependencies(parents=frozenset())
        for then in (1, 2):
            follower = add_one(storage, dependencies=follows)
            with storage.begin() as work:
                work.batches.remember(BatchId(then), [], follower.id)
                work.commit()
        other = add_one(storage, batch=1)
        child = add_after(storage, 1, other)
        member = add_after(storage, child, batch=2)
        with storage.begin() as work:
            among = [TaskId(id) for id in (1, 2, other.id, child.id, member.id, 99)]
            assert work.dependencies.after_batch(BatchId(1), among) == {1, 2, child.id, member.id}
            assert work.dependencies.after_batch(BatchId(1), [other.id]) == set()
            assert work.dependencies.after_batch(BatchId(2), among) == {2}
            assert work.dependencies.after_batch(BatchId(9), among) == set()


class TestRetry:
    def test_the_retry_of_a_parent_revives_what_failed_by_it(self, storage: Storage):
        add_one(storage)
        child = add_after(storage, 1)
        grandchild = add_after(storage, child)
        fail(storage, claim_one(storage))
        unblock(storage)
        retry(storage, task(storage, 1))
        assert unblock(storage) == [child.id, grandchild.id]
        assert [task(storage, each.id) for each in (child, grandchild)] == [child, grandchild]
        assert run_all(storage) == [1, 2, 3]

    def test_what_has_failed_by_a_task_may_be_revived_in_the_transaction_of_its_retry(self, storage: Storage):
        add_one(storage)
        child = add_after(storage, 1)
        grandchild, other = add_after(storage, child), add_after(storage, child, if_failed=RUN, unblocks=False)
        cancel(storage, task(storage, 1))
        unblock(storage)
        with storage.begin() as work:
            (parent,) = work.tasks.lock(TaskId(1))
            work.tasks.save(retried := parent.retry(NOW, 1))
            assert [each.task.id for each in work.dependencies.failed_by([parent.id], 10)] == [child.id]
            revive(work, [retried], NOW)
            work.commit()
        assert [task(storage, each.id) for each in (child, grandchild)] == [child, grandchild]
        assert task(storage, other.id).run_at == NOW

    @pytest.mark.parametrize("at_once", [True, False])
    def test_a_revived_task_has_its_batch_go_on(self, storage: Storage, at_once: bool):
        add_one(storage)
        with storage.begin() as work:
            batch = work.batches.add(NewBatch(now=NOW, ttl=600))
            assert batch
            work.commit()
        add_after(storage, 1, batch=batch.id)
        cancel(storage, task(storage, 1))
        unblock(storage)
        finish = FinishBatches(storage.begin, storage.pending, ManualClock(NOW), MemoryWakeUp())
        assert [each.id for each in finish([batch.id])] == [batch.id]
        with storage.begin() as work:
            (parent,) = work.tasks.lock(TaskId(1))
            work.tasks.save(retried := parent.retry(NOW, 1))
            if at_once:
                revive(work, [retried], NOW)
            work.commit()
        unblock(storage)
        with storage.begin() as work:
            record = work.batches.get(batch.id)
        assert record
        assert record.batch.finished is None

    def test_a_task_stays_failed_while_another_parent_is(self, storage: Storage):
        add_one(storage)
        add_one(storage)
        child = add_after(storage, 1, 2)
        for each in (1, 2):
            cancel(storage, task(storage, each))
        unblock(storage)
        retry(storage, task(storage, 1))
        assert unblock(storage) == []
        retry(storage, task(storage, 2))
        assert unblock(storage) == [child.id]
        assert task(storage, child.id) == child

    def test_the_retry_of_a_task_that_failed_by_its_parent_fails_again_at_once(self, storage: Storage):
        add_one(storage)
        child = add_after(storage, 1)
        cancel(storage, task(storage, 1))
        unblock(storage)
        retry(storage, child, at(9))
        assert task(storage, child.id) == child
        assert unblock(storage, at(9)) == [child.id]
        assert task(storage, child.id).finished == at(9)

    def test_a_task_that_was_cancelled_while_blocked_waits_again_after_a_retry(self, storage: Storage):
        add_one(storage)
        child = add_after(storage, 1)
        cancel(storage, child)
        retry(storage, child)
        assert unblock(storage) == []
        assert run_all(storage) == [1, 2]

    def test_a_task_that_was_retried_after_its_parents_have_ended_is_due_at_once(self, storage: Storage):
        add_one(storage)
        child = add_after(storage, 1)
        cancel(storage, child)
        run(storage)
        unblock(storage)
        retry(storage, child)
        assert unblock(storage) == [child.id]

    def test_a_task_that_has_run_depends_on_its_parents_no_more(self, storage: Storage):
        add_one(storage)
        child = add_after(storage, 1)
        run(storage)
        unblock(storage)
        fail(storage, claim_one(storage))
        delete(storage, task(storage, 1))
        unblock(storage)
        retry(storage, child, at(1))
        assert task(storage, child.id).run_at == at(1)
        assert ids(claim(storage, now=at(1))) == [child.id]


class TestBatches:
    def test_more_dependents_than_a_batch_are_all_decided_on(self, storage: Storage):
        add_one(storage)
        children = [add_after(storage, 1).id for _ in range(7)]
        run(storage)
        assert unblock(storage, limit=3) == children

    def test_many_changed_parents_of_the_same_tasks_are_looked_at_together(self, storage: Storage):
        parents = [add_one(storage) for _ in range(5)]
        children = [add_after(storage, *parents[:4], unblocks=False).id for _ in range(3)]
        children.append(add_after(storage, parents[4]).id)
        for each in claim(storage, 5):
            succeed(storage, each.task)
        with storage.begin() as work:
            undecided = work.dependencies.take_undecided(5)
            work.commit()
        assert [each.task.id for each in undecided.dependents if each.is_ready] == children

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_many_changed_parents_of_more_tasks_than_the_limit_are_all_looked_at(self, storage: Storage, limit: int):
        parents = [add_one(storage) for _ in range(4)]
        children = [add_after(storage, *parents[first:], unblocks=False).id for first in (0, 1, 2, 3, 0, 2, 1)]
        children += [add_after(storage, parents[0], parents[3]).id]
        last, *others = claim(storage, 4)
        for each in others:
            succeed(storage, each.task)
        assert sorted(unblock(storage, limit=limit)) == [6, 7, 8, 10, 11]
        succeed(storage, last.task)
        assert sorted(unblock(storage, limit=limit)) == [5, 9, 12]
        assert not storage.pending.has_changed_parents()

    def test_dependents_that_stay_blocked_do_not_hide_those_behind_them(self, storage: Storage):
        add_one(storage)
        other = add_one(storage, type="other")
        for _ in range(7):
            add_after(storage, 1, other)
        last = add_after(storage, 1)
        run(storage)
        assert unblock(storage, limit=3) == [last.id]
        assert not storage.pending.has_changed_parents()

    def test_more_parents_than_a_batch_are_all_looked_at(self, storage: Storage):
        children = []
        for _ in range(7):
            parent = add_one(storage)
            children.append(add_after(storage, parent).id)
        for each in claim(storage, 7):
            succeed(storage, each.task)
        assert sorted(unblock(storage, limit=3)) == children

    def test_a_task_that_is_left_out_stays_undecided(self, storage: Storage):
        add_one(storage)
        first, second = add_after(storage, 1), add_after(storage, 1)
        run(storage)
        with storage.begin() as work:
            undecided = work.dependencies.take_undecided(10, [first.id])
            assert [each.task.id for each in undecided.dependents] == [second.id]
            work.commit()
        assert storage.pending.has_changed_parents()
        assert first.id in unblock(storage)

    def test_a_task_that_was_put_off_stays_undecided(self, storage: Storage):
        add_one(storage)
        _, second = add_after(storage, 1), add_after(storage, 1)
        run(storage)
        with storage.begin() as work:
            assert len(work.dependencies.take_undecided(10).dependents) == 2
            work.dependencies.put_off([second.id])
            work.commit()
        assert storage.pending.has_changed_parents()
        assert second.id in unblock(storage)
        assert not storage.pending.has_changed_parents()

    def test_what_was_not_committed_is_undecided(self, storage: Storage):
        add_one(storage)
        child = add_after(storage, 1)
        run(storage)
        with storage.begin() as work:
            assert work.dependencies.take_undecided(10).dependents
        assert unblock(storage) == [child.id]


class TestKeeping:
    def test_a_parent_that_has_ended_is_kept_while_a_dependent_waits_or_runs(self, storage: Storage):
        add_one(storage, ttl=10)
        child = add_after(storage, 1, ttl=10**6)
        run(storage, at(1))
        assert expire(storage, at(100)) == 0
        assert task(storage, 1).expire == at(160)
        unblock(storage)
        claimed = claim_one(storage)
        assert expire(storage, at(160)) == 0
        assert not succeed(storage, claimed)
        assert expire(storage, at(219)) == 0
        assert expire(storage, at(220)) == 1
        assert task(storage, child.id).status is Status.DONE

    def test_a_parent_that_has_not_run_expires(self, storage: Storage):
        add_one(storage, ttl=10)
        add_after(storage, 1)
        assert expire(storage, at(10)) == 1

    def test_other_tasks_are_deleted_beside_a_parent_that_is_kept(self, storage: Storage):
        for _ in range(3):
            add_one(storage, ttl=10)
        add_after(storage, 2, add_one(storage, type="other", ttl=10**6))
        for each in claim(storage, 3):
            succeed(storage, each.task)
        unblock(storage)
        assert expire(storage, at(100)) == 2
        assert task(storage, 2)
