"""Locks: claiming, rescuing and cleaning skip locked tasks, every other write waits for them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from sqlalchemy import TextClause

from adapters.postgres import Database
from application.errors import StorageConflict
from application.ports.queue import ProgressReport, RenewalResult, SettleResult
from application.ports.unit_of_work import UnitOfWork
from domain.ids import HandlerId, TaskId
from domain.lease import Lease
from domain.progress import Progress
from domain.settlement import Settlement
from domain.status import Status
from domain.task import Task
from tests.concurrency import until_waiting
from tests.steps import add, at, claim, ids, rescue, settle, stored, submission, task
from tests.storage import Storage, in_postgres

T = TypeVar("T")
BOTH = {"a": 100, "b": 100}


def running(storage: Storage, number: int = 3) -> list[Task]:
    """That many tasks, claimed, with ids from 1."""
    add(storage, *[submission(max_attempts=9)] * number)
    return [claimed.task for claimed in claim(storage)]


def success(task: Task) -> Settlement:
    return Settlement.succeeded(task, at(5), str(task.id))


class Interrupted(Database):
    """A database in which `meanwhile` happens between the statement of a claim and its commit."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def commit_after_read(
        self, statement: TextClause, parameters: Mapping[str, Any], read: Callable[[Sequence[Any]], T]
    ) -> T:
        def read_after_the_interruption(rows: Sequence[Any]) -> T:
            self.meanwhile()
            return read(rows)

        return super().commit_after_read(statement, parameters, read_after_the_interruption)


@pytest.fixture
def interrupted(storage: Storage, postgres_url: str) -> Iterator[Interrupted]:
    """The database of the storage."""
    interrupted = Interrupted(postgres_url)
    yield interrupted
    interrupted.close()


class TestSkipping:
    def test_a_claim_skips_what_is_locked_and_never_waits(self, storage: Storage):
        add(storage, *[submission()] * 3)
        with storage.begin() as canceller:
            canceller.tasks.lock(TaskId(1))
            assert ids(claim(storage)) == [2, 3]
        assert ids(claim(storage)) == [1]

    @pytest.mark.parametrize("limit", [1, 3, 5, 9])
    def test_a_claim_locks_nothing_that_it_does_not_take(self, storage: Storage, interrupted: Interrupted, limit: int):
        for priority in (5, 0):
            add(storage, *[submission("a", priority=priority)] * 3, *[submission("b", priority=priority)] * 3)
        rest: list[int] = []
        interrupted.meanwhile = lambda: rest.extend(ids(claim(storage, wanted=BOTH)))
        taken = ids(claim(in_postgres(interrupted), limit, wanted=BOTH, handler="first"))
        assert len(taken) == limit
        assert sorted(taken + rest) == list(range(1, 13))

    def test_one_claim_goes_on_where_another_that_is_under_way_ends(self, storage: Storage, interrupted: Interrupted):
        add(storage, *[submission()] * 6)
        other: list[int] = []
        interrupted.meanwhile = lambda: other.extend(ids(claim(storage, 2)))
        assert ids(claim(in_postgres(interrupted), 2, handler="first")) == [1, 2]
        assert other == [3, 4]
        assert ids(claim(storage)) == [5, 6]

    def test_a_claim_is_not_seen_before_it_is_committed(self, storage: Storage, interrupted: Interrupted):
        waiting = add(storage, submission())
        seen: list[Task] = []
        interrupted.meanwhile = lambda: seen.append(task(storage, 1))
        assert ids(claim(in_postgres(interrupted))) == [1]
        assert seen == waiting
        assert task(storage, 1).status is Status.RUNNING

    def test_a_task_that_another_claimed_meanwhile_is_not_claimed_again(
        self, storage: Storage, background: ThreadPoolExecutor
    ):
        add(storage, submission())
        assert task(storage, 1).status is Status.WAITING
        assert ids(background.submit(claim, storage).result()) == [1]
        assert ids(claim(storage, handler="late")) == []

    def test_a_rescue_skips_what_is_locked(self, storage: Storage):
        running(storage)
        with storage.begin() as canceller:
            canceller.tasks.lock(TaskId(1))
            assert [each.id for each in rescue(storage, at(31))] == [2, 3]

    def test_two_rescuers_never_take_the_same_task(self, storage: Storage):
        running(storage, 4)
        with storage.begin() as first:
            mine = first.queue.lapsed(storage.autocommit.observe_leases().leases, 2)
            theirs = rescue(storage, at(31))
            assert not first.queue.settle([Settlement.lost(task, at(31)) for task in mine])
            first.commit()
        assert [[task.id for task in tasks] for tasks in (mine, theirs)] == [[1, 2], [3, 4]]
        assert [task(storage, id).losses for id in range(1, 5)] == [1, 1, 1, 1]

    def test_a_rescue_does_not_take_what_is_renewed_meanwhile(self, storage: Storage):
        held = running(storage)
        with storage.begin() as handler:
            handler.queue.renew([held[0].hold], Lease.granted(HandlerId("handler-1"), at(31), 30))
            assert [each.id for each in rescue(storage, at(31))] == [2, 3]
            handler.commit()
        assert list(rescue(storage, at(31))) == []

    def test_renewing_skips_what_is_locked_and_does_not_say_that_it_is_lost(self, storage: Storage):
        """Otherwise one row under a forgotten lock would cost its handler all its leases."""
        held = running(storage)
        with storage.begin() as somebody:
            somebody.tasks.lock(TaskId(2))
            lease = Lease(HandlerId("handler-1"), at(50))
            with storage.begin() as handler:
                assert handler.queue.renew([each.hold for each in held], lease) == RenewalResult([], [held[1].hold])
                handler.commit()
            assert [each.id for each in rescue(storage, at(40))] == []
        assert [each.lease for each in (task(storage, id) for id in (1, 2, 3))] == [
            Lease(HandlerId("handler-1"), at(seconds)) for seconds in (50, 30, 50)
        ]

    def test_a_renewal_waits_for_no_row(self, storage: Storage):
        held = running(storage)
        with storage.begin() as somebody:
            somebody.tasks.lock(TaskId(2))
            begun = time.monotonic()
            result = storage.autocommit.renew([each.hold for each in held], Lease(HandlerId("handler-1"), at(50)))
            assert time.monotonic() - begun < 0.2
        assert result == RenewalResult([], [held[1].hold])

    @pytest.mark.parametrize(
        "lock", ["SELECT * FROM handlers FOR UPDATE", "LOCK TABLE handlers IN ACCESS EXCLUSIVE MODE"]
    )
    def test_a_lock_on_handlers_delays_no_renewal_of_a_task_and_a_record_gives_up_at_once(
        self, storage: Storage, database: Database, lock: str
    ):
        (held,) = running(storage, 1)
        with storage.begin() as work:
            work.types.publish(HandlerId("handler-1"), [], at(30))
            work.commit()
        with database.engine.begin() as somebody:
            somebody.exec_driver_sql(lock)
            begun = time.monotonic()
            renewed = storage.autocommit.renew([held.hold], Lease(HandlerId("handler-1"), at(50)))
            with pytest.raises(StorageConflict), storage.begin() as work:
                work.types.renew(HandlerId("handler-1"), at(50))
            assert time.monotonic() - begun < 0.5
        assert renewed == RenewalResult([], [])

    def test_a_lock_on_tasks_does_not_stop_the_renewal_of_a_record(self, storage: Storage, database: Database):
        with storage.begin() as work:
            work.types.publish(HandlerId("handler-1"), [], at(30))
            work.commit()
        with database.engine.begin() as somebody, storage.begin() as work:
            somebody.exec_driver_sql("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE")
            assert work.types.renew(HandlerId("handler-1"), at(50))

    def test_a_report_skips_what_is_locked_and_says_so(self, storage: Storage):
        held = running(storage)
        with storage.begin() as canceller:
            canceller.tasks.lock(TaskId(2))
            with storage.begin() as handler:
                reports = [ProgressReport(each.hold, at(1), Progress(0.5)) for each in held]
                assert handler.queue.report(reports) == [held[1].hold]
                handler.commit()
        assert [task(storage, id).progress for id in (1, 2, 3)] == [Progress(0.5), None, Progress(0.5)]

    def test_settling_what_is_not_locked_skips_what_is(self, storage: Storage):
        held = running(storage)
        with storage.begin() as canceller:
            canceller.tasks.lock(TaskId(2))
            result = storage.autocommit.settle_unlocked([*map(success, held)])
        assert result == SettleResult([], [success(held[1])])
        assert [task(storage, id).status for id in (1, 2, 3)] == [Status.DONE, Status.RUNNING, Status.DONE]

    def test_a_janitor_skips_what_is_locked(self, storage: Storage):
        add(storage, *[submission(ttl=1)] * 3)
        with storage.begin() as canceller:
            canceller.tasks.lock(TaskId(1))
            assert delete_expired(storage) == [2, 3]
        assert delete_expired(storage) == [1]

    def test_two_janitors_delete_beside_each_other_without_waiting(self, storage: Storage):
        add(storage, *(submission(ttl=ttl) for ttl in range(1, 7)))
        with storage.begin() as first:
            mine = list(first.cleaning.delete_expired(at(60), 4).unrun)
            assert (mine, delete_expired(storage)) == ([1, 2, 3, 4], [5, 6])
            first.commit()
        assert delete_expired(storage) == []


class TestWaiting:
    def test_settling_waits_for_a_cancel_and_is_refused_what_it_took(
        self, storage: Storage, database: Database, background: ThreadPoolExecutor
    ):
        held = running(storage)
        with storage.begin() as canceller:
            cancel(canceller, 2)
            refused = background.submit(settle, storage, *map(success, held))
            until_waiting(database)
            canceller.commit()
        assert list(refused.result()) == [2]
        assert [task(storage, id).status for id in (1, 2, 3)] == [Status.DONE, Status.CANCELLED, Status.DONE]
        assert [stored(storage, id).result for id in (1, 2, 3)] == ["1", None, "3"]

    def test_settling_waits_for_a_cancel_that_is_rolled_back_and_is_written(
        self, storage: Storage, database: Database, background: ThreadPoolExecutor
    ):
        held = running(storage)
        with storage.begin() as canceller:
            cancel(canceller, 2)
            refused = background.submit(settle, storage, *map(success, held))
            until_waiting(database)
        assert list(refused.result()) == []
        assert {task(storage, id).status for id in (1, 2, 3)} == {Status.DONE}

    def test_settling_waits_for_a_renewal_and_is_written(
        self, storage: Storage, database: Database, background: ThreadPoolExecutor
    ):
        held = running(storage)
        with storage.begin() as handler:
            handler.queue.renew([each.hold for each in held], Lease.granted(HandlerId("handler-1"), at(20), 30))
            refused = background.submit(settle, storage, *map(success, held))
            until_waiting(database)
            handler.commit()
        assert list(refused.result()) == []
        assert [task(storage, each.id) for each in held] == [success(each).task for each in held]

    def test_a_repetition_that_overtakes_the_commit_of_the_first_is_a_success(
        self, storage: Storage, database: Database, background: ThreadPoolExecutor
    ):
        settlements = [success(each) for each in running(storage)]
        with storage.begin() as first:
            assert not first.queue.settle(settlements)
            refused = background.submit(settle, storage, *settlements)
            until_waiting(database)
            first.commit()
        assert list(refused.result()) == []

    def test_a_repetition_that_overtakes_the_rollback_of_the_first_is_written(
        self, storage: Storage, database: Database, background: ThreadPoolExecutor
    ):
        failures = [Settlement.lost(each, at(5)) for each in running(storage)]
        with storage.begin() as first:
            assert not first.queue.settle(failures)
            refused = background.submit(settle, storage, *failures)
            until_waiting(database)
        assert list(refused.result()) == []
        assert [task(storage, each.task.id) for each in failures] == [each.task for each in failures]

    def test_a_cancel_waits_for_an_outcome_and_sees_it(
        self, storage: Storage, database: Database, background: ThreadPoolExecutor
    ):
        held = running(storage, 1)
        with storage.begin() as handler:
            handler.queue.settle([success(held[0])])
            seen = background.submit(locked, storage, TaskId(1))
            until_waiting(database)
            handler.commit()
        assert seen.result().status is Status.DONE


WRITES: dict[str, Callable[[Storage, Sequence[Task]], object]] = {
    "settle": lambda storage, tasks: settle(storage, *map(success, tasks)),
    "settle with records": lambda storage, tasks: settle(storage, *(Settlement.lost(task, at(5)) for task in tasks)),
}


OTHERS = """
    INSERT INTO tasks (created, run_at, expire, ttl, type, args, max_attempts, max_losses, priority,
        status, attempt, claims, handler, lease_until)
    SELECT now(), now(), now(), 60, 'other', '{}', 1, 0, 0, 'running', 1, 1, 'other', now()
    FROM generate_series(1, 3000)
"""


@pytest.fixture
def many_run(database: Database) -> None:
    """Among many others, rows are found and locked one by one, in the order in which they are named."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql(OTHERS)
        connection.exec_driver_sql("ANALYZE tasks")


@pytest.mark.usefixtures("many_run")
@pytest.mark.parametrize("one", WRITES)
@pytest.mark.parametrize("other", WRITES)
def test_writes_of_the_same_tasks_in_opposite_orders_do_not_wait_in_a_circle(
    storage: Storage, database: Database, background: ThreadPoolExecutor, one: str, other: str
):
    held = running(storage)
    with storage.begin() as gate:
        gate.tasks.lock(held[1].id)
        upward = background.submit(WRITES[one], storage, held)
        until_waiting(database)
        downward = background.submit(WRITES[other], storage, held[::-1])
        until_waiting(database, 2)
    upward.result()
    downward.result()


def cancel(work: UnitOfWork, id: int) -> None:
    (found,) = work.tasks.lock(TaskId(id))
    work.tasks.save(found.cancel(at(3)))


def delete_expired(storage: Storage) -> Sequence[TaskId]:
    with storage.begin() as work:
        expired = work.cleaning.delete_expired(at(60), 100)
        work.commit()
    return list(expired.unrun)


def locked(storage: Storage, id: TaskId) -> Task:
    with storage.begin() as work:
        (found,) = work.tasks.lock(id)
    return found
