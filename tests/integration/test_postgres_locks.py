"""Locks: claiming, rescuing and cleaning skip locked tasks, and writes wait for them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.postgres import Database
from application.ports.queue import ClaimRequest, ProgressReport, RenewalResult
from application.ports.unit_of_work import Begin, UnitOfWork
from domain.ids import HandlerId, TaskId
from domain.lease import Lease
from domain.progress import Progress
from domain.settlement import Settlement
from domain.status import Status
from domain.task import Task
from tests.concurrency import until_waiting
from tests.steps import NOW, add, at, claim, ids, renew, report, rescue, settle, stored, submission, task

BOTH = {"a": 100, "b": 100}


def running(begin: Begin, number: int = 3) -> list[Task]:
    """That many tasks, claimed, with ids from 1."""
    add(begin, *[submission(max_attempts=9)] * number)
    return [claimed.task for claimed in claim(begin)]


def success(task: Task) -> Settlement:
    return Settlement.succeeded(task, at(5), str(task.id))


class TestSkipping:
    def test_a_claim_skips_locked_tasks_and_never_waits(self, begin: Begin):
        add(begin, *[submission()] * 3)
        with begin() as canceller:
            canceller.tasks.lock(TaskId(1))
            assert ids(claim(begin)) == [2, 3]
        assert ids(claim(begin)) == [1]

    @pytest.mark.parametrize("limit", [1, 3, 5, 9])
    def test_a_claim_locks_nothing_that_it_does_not_take(self, begin: Begin, limit: int):
        for priority in (5, 0):
            add(begin, *[submission("a", priority=priority)] * 3, *[submission("b", priority=priority)] * 3)
        with begin() as first:
            lease = Lease.granted(HandlerId("first"), NOW, 30)
            taken = ids(first.queue.claim(lease, NOW, ClaimRequest(BOTH, limit, 10**9, 0)))
            rest = ids(claim(begin, wanted=BOTH))
            first.commit()
        assert len(taken) == limit
        assert sorted(taken + rest) == list(range(1, 13))

    def test_one_claim_goes_on_where_another_that_is_under_way_ends(self, begin: Begin):
        add(begin, *[submission()] * 6)
        with begin() as first:
            first.queue.claim(Lease.granted(HandlerId("first"), NOW, 30), NOW, ClaimRequest({"add": 9}, 2, 10**9, 0))
            assert ids(claim(begin, 2)) == [3, 4]
            first.commit()
        assert ids(claim(begin)) == [5, 6]

    def test_a_task_that_another_claimed_meanwhile_is_not_claimed_again(
        self, begin: Begin, background: ThreadPoolExecutor
    ):
        add(begin, submission())
        with begin() as reader:
            assert reader.tasks.get(TaskId(1))
            assert ids(background.submit(claim, begin).result()) == [1]
            lease = Lease.granted(HandlerId("late"), NOW, 30)
            assert ids(reader.queue.claim(lease, NOW, ClaimRequest({"add": 9}, 9, 10**9, 0))) == []

    def test_a_rescue_skips_locked_tasks(self, begin: Begin):
        running(begin)
        with begin() as canceller:
            canceller.tasks.lock(TaskId(1))
            assert [each.id for each in rescue(begin, at(31))] == [2, 3]

    def test_two_rescuers_never_take_the_same_task(self, begin: Begin):
        running(begin, 4)
        with begin() as first:
            mine = first.queue.lapsed(at(31), 2)
            theirs = rescue(begin, at(31))
            assert not first.queue.settle([Settlement.lost(task, at(31)) for task in mine])
            first.commit()
        assert [[task.id for task in tasks] for tasks in (mine, theirs)] == [[1, 2], [3, 4]]
        assert [task(begin, id).losses for id in range(1, 5)] == [1, 1, 1, 1]

    def test_a_rescue_does_not_take_what_is_renewed_meanwhile(self, begin: Begin):
        held = running(begin)
        with begin() as handler:
            handler.queue.renew([held[0].hold], Lease.granted(HandlerId("handler-1"), at(31), 30))
            assert [each.id for each in rescue(begin, at(31))] == [2, 3]
            handler.commit()
        assert list(rescue(begin, at(31))) == []

    def test_renewing_skips_locked_tasks_and_does_not_say_that_they_are_lost(self, begin: Begin):
        """Otherwise one row that is locked for long would cost its handler all its other leases."""
        held = running(begin)
        with begin() as somebody:
            somebody.tasks.lock(TaskId(2))
            lease = Lease(HandlerId("handler-1"), at(50))
            with begin() as handler:
                assert handler.queue.renew([each.hold for each in held], lease) == RenewalResult([], [held[1].hold])
                handler.commit()
            assert [each.id for each in rescue(begin, at(40))] == []
        assert [each.lease for each in (task(begin, id) for id in (1, 2, 3))] == [
            Lease(HandlerId("handler-1"), at(seconds)) for seconds in (50, 30, 50)
        ]

    def test_renewing_waits_a_moment_for_locked_tasks(
        self, begin: Begin, database: Database, background: ThreadPoolExecutor
    ):
        """So it comes before a rescuer that takes back the leases that lapse meanwhile."""
        held = running(begin)
        with begin() as somebody:
            somebody.tasks.lock(TaskId(2))
            lost = background.submit(renew, begin, [each.hold for each in held], at(20))
            until_waiting(database)
        assert list(lost.result()) == []
        assert {task(begin, each.id).lease for each in held} == {Lease(HandlerId("handler-1"), at(50))}

    def test_a_janitor_skips_locked_tasks(self, begin: Begin):
        add(begin, *[submission(ttl=1)] * 3)
        with begin() as canceller:
            canceller.tasks.lock(TaskId(1))
            assert delete_expired(begin) == [2, 3]
        assert delete_expired(begin) == [1]

    def test_two_janitors_delete_beside_each_other_without_waiting(self, begin: Begin):
        add(begin, *(submission(ttl=ttl) for ttl in range(1, 7)))
        with begin() as first:
            mine = first.cleaning.delete_expired(at(60), 4).unrun
            assert (mine, delete_expired(begin)) == ([1, 2, 3, 4], [5, 6])
            first.commit()
        assert delete_expired(begin) == []


class TestWaiting:
    def test_settling_waits_for_a_cancel_and_is_refused_what_it_took(
        self, begin: Begin, database: Database, background: ThreadPoolExecutor
    ):
        held = running(begin)
        with begin() as canceller:
            cancel(canceller, 2)
            refused = background.submit(settle, begin, *map(success, held))
            until_waiting(database)
            canceller.commit()
        assert list(refused.result()) == [2]
        assert [task(begin, id).status for id in (1, 2, 3)] == [Status.DONE, Status.CANCELLED, Status.DONE]
        assert [stored(begin, id).result for id in (1, 2, 3)] == ["1", None, "3"]

    def test_settling_waits_for_a_cancel_that_is_rolled_back_and_is_written(
        self, begin: Begin, database: Database, background: ThreadPoolExecutor
    ):
        held = running(begin)
        with begin() as canceller:
            cancel(canceller, 2)
            refused = background.submit(settle, begin, *map(success, held))
            until_waiting(database)
        assert list(refused.result()) == []
        assert {task(begin, id).status for id in (1, 2, 3)} == {Status.DONE}

    def test_settling_waits_for_a_renewal_and_is_written(
        self, begin: Begin, database: Database, background: ThreadPoolExecutor
    ):
        held = running(begin)
        with begin() as handler:
            handler.queue.renew([each.hold for each in held], Lease.granted(HandlerId("handler-1"), at(20), 30))
            refused = background.submit(settle, begin, *map(success, held))
            until_waiting(database)
            handler.commit()
        assert list(refused.result()) == []
        assert [task(begin, each.id) for each in held] == [success(each).task for each in held]

    def test_a_repetition_that_overtakes_the_commit_of_the_first_is_a_success(
        self, begin: Begin, database: Database, background: ThreadPoolExecutor
    ):
        settlements = [success(each) for each in running(begin)]
        with begin() as first:
            assert not first.queue.settle(settlements)
            refused = background.submit(settle, begin, *settlements)
            until_waiting(database)
            first.commit()
        assert list(refused.result()) == []

    def test_a_repetition_that_overtakes_the_rollback_of_the_first_is_written(
        self, begin: Begin, database: Database, background: ThreadPoolExecutor
    ):
        failures = [Settlement.lost(each, at(5)) for each in running(begin)]
        with begin() as first:
            assert not first.queue.settle(failures)
            refused = background.submit(settle, begin, *failures)
            until_waiting(database)
        assert list(refused.result()) == []
        assert [task(begin, each.task.id) for each in failures] == [each.task for each in failures]

    def test_a_report_waits_for_a_cancel_and_leaves_what_it_took_alone(
        self, begin: Begin, database: Database, background: ThreadPoolExecutor
    ):
        held = running(begin)
        with begin() as canceller:
            cancel(canceller, 2)
            reports = [ProgressReport(each.hold, at(1), Progress(0.5)) for each in held]
            reported = background.submit(report, begin, *reports)
            until_waiting(database)
            canceller.commit()
        reported.result()
        assert [task(begin, id).progress for id in (1, 2, 3)] == [Progress(0.5), None, Progress(0.5)]

    def test_a_cancel_waits_for_an_outcome_and_sees_it(
        self, begin: Begin, database: Database, background: ThreadPoolExecutor
    ):
        held = running(begin, 1)
        with begin() as handler:
            handler.queue.settle([success(held[0])])
            seen = background.submit(locked, begin, TaskId(1))
            until_waiting(database)
            handler.commit()
        assert seen.result().status is Status.DONE


WRITES: dict[str, Callable[[UnitOfWork, Sequence[Task]], object]] = {
    "settle": lambda work, tasks: work.queue.settle([success(task) for task in tasks]),
    "report": lambda work, tasks: work.queue.report([ProgressReport(task.hold, at(1)) for task in tasks]),
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
    begin: Begin, database: Database, background: ThreadPoolExecutor, one: str, other: str
):
    held = running(begin)

    def write(verb: str, tasks: Sequence[Task]) -> None:
        with begin() as work:
            WRITES[verb](work, tasks)
            work.commit()

    with begin() as gate:
        gate.tasks.lock(held[1].id)
        upward = background.submit(write, one, held)
        until_waiting(database)
        downward = background.submit(write, other, held[::-1])
        until_waiting(database, 2)
    upward.result()
    downward.result()


def cancel(work: UnitOfWork, id: int) -> None:
    (found,) = work.tasks.lock(TaskId(id))
    work.tasks.save(found.cancel(at(3)))


def delete_expired(begin: Begin) -> Sequence[TaskId]:
    with begin() as work:
        expired = work.cleaning.delete_expired(at(60), 100)
        work.commit()
    return expired.unrun


def locked(begin: Begin, id: TaskId) -> Task:
    with begin() as work:
        (found,) = work.tasks.lock(id)
    return found
