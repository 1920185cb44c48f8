"""Cancelling, retrying and deleting many tasks, counting, and folding the counts, over memory."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest

from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.errors import StorageConflict, StorageUnavailable
from application.ports.listing import Filter
from application.ports.wake_up import Topic
from application.submissions import TaskRequest
from application.use_cases import change_tasks, count_matching
from application.use_cases.cancel_tasks import CancelTasks
from application.use_cases.change_tasks import MAX_SECONDS, ChangeTasksRequest, ChangeTasksResult, is_meant
from application.use_cases.count_matching import MatchingTasks
from application.use_cases.retry_tasks import RetryTasks
from domain.ids import TaskId, TypeName
from domain.options import Options
from domain.status import Status, Verb
from domain.task import Task
from domain.task_type import TaskType
from tests import steps
from tests.unit.memory_service import Service

ADD = TypeName("add")
ORDERS = [pytest.param(range(5), id="parents are older"), pytest.param(range(4, -1, -1), id="parents are newer")]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """Let a batch have two tasks."""
    monkeypatch.setattr(change_tasks, "BATCH_TASKS", 2)
    return Service()


def cancel(service: Service, **asked: Any) -> ChangeTasksResult:
    return service.api.cancel_tasks()(ChangeTasksRequest(**{"filter": Filter(), **asked}))


def retry(service: Service, **asked: Any) -> ChangeTasksResult:
    return service.api.retry_tasks()(ChangeTasksRequest(**{"filter": Filter(), **asked}))


def delete(service: Service, **asked: Any) -> ChangeTasksResult:
    return service.api.delete_tasks()(ChangeTasksRequest(**{"filter": Filter(), **asked}))


def count(service: Service, filter: Filter, verb: Verb) -> MatchingTasks:
    return service.api.count_matching()(filter, verb)


def statuses(service: Service) -> list[Status]:
    """By rising id."""
    with service.store.begin() as work:
        return [task.status for task in reversed(work.listing.search(Filter(), None, 100).tasks)]


def one_of_each(service: Service) -> None:
    """Tasks from 1 to 5: done, failed, cancelled, running, waiting."""
    steps.add(service.storage, *[steps.submission()] * 5)
    steps.succeed(service.storage, run(service))
    steps.fail(service.storage, run(service))
    steps.save(service.storage, steps.task(service.storage, 3).cancel(service.clock.now()))
    run(service)


def chain(service: Service, order: Sequence[int] = range(5)) -> None:
    """Five tasks, each of which waits for the one before it, submitted in that order of their places in the chain."""
    service.api.submit_tasks()(
        TaskRequest(type=TypeName("default"), args={}, ref=f"r{place}", after=[f"r{place - 1}"] if place else [])
        for place in order
    )


def run(service: Service) -> Task:
    return steps.claim_one(service.storage)


class TestCancelling:
    def test_cancel_tasks_cancels_only_waiting_and_running_tasks(self, service: Service):
        one_of_each(service)
        before = steps.task(service.storage, 3)
        service.clock.move(5)
        assert cancel(service) == ChangeTasksResult(2, None)
        assert statuses(service) == [Status.DONE, Status.FAILED, *[Status.CANCELLED] * 3]
        assert steps.task(service.storage, 3) == before
        assert steps.task(service.storage, 4).finished == service.clock.now()

    def test_cancel_tasks_of_a_final_status_finds_none(self, service: Service):
        one_of_each(service)
        done = Filter(statuses=frozenset({Status.DONE, Status.WAITING}))
        assert cancel(service, filter=done) == ChangeTasksResult(1, None)
        assert statuses(service)[0] is Status.DONE

    def test_cancel_tasks_reaches_all_in_batches(self, service: Service):
        steps.add(service.storage, *[steps.submission()] * 7)
        begun = service.begun
        assert cancel(service) == ChangeTasksResult(7, None)
        # A search comes first, and a look for tasks that wait for these last.
        assert service.begun - begun == 1 + 4 + 1
        assert set(statuses(service)) == {Status.CANCELLED}

    def test_cancel_tasks_applies_its_filter(self, service: Service):
        steps.add(
            service.storage, steps.submission(terms=(1,)), steps.submission("other"), steps.submission(terms=(2,))
        )
        assert cancel(service, filter=Filter(type=ADD, terms=frozenset({1}))) == ChangeTasksResult(1, None)
        assert statuses(service) == [Status.CANCELLED, Status.WAITING, Status.WAITING]

    @pytest.mark.parametrize("limit", [1, 2, 3, 4])
    def test_cancel_tasks_stops_at_its_limit_with_a_cursor(self, service: Service, limit: int):
        steps.add(service.storage, *[steps.submission()] * 5)
        first = cancel(service, limit=limit)
        assert first == ChangeTasksResult(limit, TaskId(6 - limit))
        assert statuses(service) == [Status.WAITING] * (5 - limit) + [Status.CANCELLED] * limit
        assert cancel(service, before=first.next) == ChangeTasksResult(5 - limit, None)

    def test_a_limit_equal_to_the_number_of_tasks_leaves_no_cursor(self, service: Service):
        steps.add(service.storage, *[steps.submission()] * 4)
        assert cancel(service, limit=4) == ChangeTasksResult(4, None)

    def test_cancel_tasks_reads_only_tasks_before_its_cursor(self, service: Service):
        steps.add(service.storage, *[steps.submission()] * 4)
        assert cancel(service, before=TaskId(3)) == ChangeTasksResult(2, None)
        assert statuses(service) == [Status.CANCELLED] * 2 + [Status.WAITING] * 2

    def test_cancel_tasks_stops_between_batches_when_its_time_is_over(self, service: Service):
        steps.add(service.storage, *[steps.submission()] * 9)
        slow = Slow(service, MAX_SECONDS / 3)
        assert CancelTasks(slow.begin, service.clock, service, service.unblock)(
            ChangeTasksRequest(filter=Filter())
        ) == ChangeTasksResult(4, TaskId(6))

    def test_handlers_are_notified_once_for_each_batch_with_running_tasks(self, service: Service):
        steps.add(service.storage, *[steps.submission()] * 6)
        steps.claim(service.storage, 3)
        cancel(service)
        assert service.told == [Topic.CHANGED, Topic.TAKEN, Topic.CHANGED, Topic.TAKEN, Topic.CHANGED]

    def test_no_handler_is_notified_of_cancelled_waiting_tasks(self, service: Service):
        steps.add(service.storage, steps.submission())
        cancel(service)
        assert service.told == [Topic.CHANGED]


class TestRetrying:
    def test_retry_tasks_returns_failed_and_cancelled_tasks_to_waiting(self, service: Service):
        one_of_each(service)
        service.clock.move(5)
        assert retry(service) == ChangeTasksResult(2, None)
        assert statuses(service) == [Status.DONE, Status.WAITING, Status.WAITING, Status.RUNNING, Status.WAITING]
        assert service.told == [Topic.WAITING, Topic.CHANGED]

    def test_a_retried_task_has_as_many_more_attempts_as_its_type(self, service: Service):
        service.publish(TaskType(name=ADD, options=Options(max_attempts=3)))
        steps.add(service.storage, steps.submission(), steps.submission("gone"))
        for type in ("add", "gone"):
            steps.fail(service.storage, steps.claim_one(service.storage, wanted={type: 1}, now=service.clock.now()))
        assert retry(service) == ChangeTasksResult(2, None)
        assert [steps.task(service.storage, id).max_attempts for id in (1, 2)] == [4, 2]

    def test_retry_tasks_notifies_of_nothing_where_no_task_is_retried(self, service: Service):
        assert retry(service) == ChangeTasksResult(0, None)
        assert service.told == []


class TestDeleting:
    def test_delete_tasks_deletes_all_but_running_tasks(self, service: Service):
        one_of_each(service)
        assert delete(service) == ChangeTasksResult(4, None)
        assert statuses(service) == [Status.RUNNING]
        assert service.told == [Topic.CHANGED]

    def test_delete_tasks_applies_its_filter_and_stops_at_its_limit(self, service: Service):
        steps.add(service.storage, *[steps.submission(terms=(1,))] * 3, steps.submission())
        assert delete(service, filter=Filter(terms=frozenset({1})), limit=2) == ChangeTasksResult(2, TaskId(2))
        assert len(statuses(service)) == 2

    def test_delete_tasks_notifies_of_nothing_where_no_task_is_deleted(self, service: Service):
        assert delete(service) == ChangeTasksResult(0, None)
        assert service.told == []


class TestTasksThatWaitForEachOther:
    @pytest.mark.parametrize("order", ORDERS)
    def test_no_dependent_fails_by_a_parent_that_is_cancelled(self, service: Service, order: Sequence[int]):
        chain(service, order)
        unblocking = Unblocking(service)
        change = CancelTasks(unblocking.begin, service.clock, service, service.unblock)
        assert change(ChangeTasksRequest(filter=Filter())) == ChangeTasksResult(5, None)
        assert set(statuses(service)) == {Status.CANCELLED}
        assert unblocking.failed == []

    @pytest.mark.parametrize("order", ORDERS)
    def test_no_retried_task_fails_by_a_parent_that_is_to_be_retried(self, service: Service, order: Sequence[int]):
        chain(service, order)
        cancel(service)
        unblocking = Unblocking(service)
        change = RetryTasks(unblocking.begin, service.clock, service.types, service, service.unblock)
        assert change(ChangeTasksRequest(filter=Filter())) == ChangeTasksResult(5, None)
        assert set(statuses(service)) == {Status.WAITING}
        assert unblocking.failed == []

    def test_tasks_that_are_revived_by_the_retry_of_a_parent_count_once(self, service: Service):
        chain(service)
        steps.fail(service.storage, steps.claim_one(service.storage, wanted={"default": 1}, now=service.clock.now()))
        service.unblock.all()
        assert set(statuses(service)) == {Status.FAILED}
        assert retry(service) == ChangeTasksResult(5, None)
        assert set(statuses(service)) == {Status.WAITING}

    def test_a_request_that_ends_early_continues_with_the_tasks_that_are_left(self, service: Service):
        chain(service)
        cancel(service)
        slow = Slow(service, 1)
        change = RetryTasks(slow.begin, service.clock, service.types, service, service.unblock)
        first = change(ChangeTasksRequest(filter=Filter(), seconds=2))
        assert first == ChangeTasksResult(2, TaskId(6))
        assert statuses(service) == [*[Status.WAITING] * 2, *[Status.CANCELLED] * 3]
        assert retry(service, before=first.next) == ChangeTasksResult(3, None)
        assert set(statuses(service)) == {Status.WAITING}


class TestMomentOfAChange:
    def test_a_task_that_finishes_after_the_moment_of_the_change_is_left_as_it_is(self, service: Service):
        steps.add(service.storage, *[steps.submission()] * 2)
        steps.fail(service.storage, run(service), steps.at(0))
        steps.fail(service.storage, run(service), steps.at(10))
        assert retry(service, filter=Filter(as_of=steps.at(5))) == ChangeTasksResult(1, None)
        assert statuses(service) == [Status.WAITING, Status.FAILED]

    def test_a_task_that_finishes_again_before_it_is_locked_is_left_as_it_is(self, service: Service):
        (failed,) = steps.add(service.storage, steps.submission())
        steps.fail(service.storage, run(service), steps.at(0))
        failed = steps.task(service.storage, 1)
        assert is_meant(failed, Filter(as_of=steps.at(0)))
        assert not is_meant(replace(failed, finished=steps.at(1)), Filter(as_of=steps.at(0)))
        assert not is_meant(failed, Filter(statuses=frozenset({Status.WAITING})))

    def test_a_request_ends_after_its_own_seconds(self, service: Service):
        steps.add(service.storage, *[steps.submission()] * 5)
        slow = Slow(service, 0.9)
        change = CancelTasks(slow.begin, service.clock, service, service.unblock)
        assert change(ChangeTasksRequest(filter=Filter(), seconds=2)) == ChangeTasksResult(4, TaskId(2))


class TestCounting:
    def test_tasks_of_a_type_and_status_are_counted_exactly(self, service: Service):
        one_of_each(service)
        counted = count(service, Filter(type=ADD), Verb.DELETE)
        assert (counted.number, counted.is_exact, counted.before) == (4, True, TaskId(6))

    def test_other_tasks_are_counted_up_to_a_bound(self, service: Service, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(count_matching, "STEP_TASKS", 2)
        monkeypatch.setattr(count_matching, "MAX_COUNTED_TASKS", 4)
        filter = Filter(terms=frozenset({1}))
        for number, is_exact in ((0, True), (3, True), (3, False)):
            steps.add(service.storage, *[steps.submission(terms=(1,))] * number)
            counted = count(service, filter, Verb.CANCEL)
            assert (counted.number, counted.is_exact) == ((number if is_exact else 4), is_exact)


class TestGroupsOfFailures:
    def test_groups_are_read_once_in_a_while(self, service: Service):
        list_groups = service.api.list_failure_groups()
        assert list_groups().groups == []
        steps.add(service.storage, steps.submission())
        steps.fail(service.storage, run(service), service.clock.now())
        assert list_groups().groups == []
        service.clock.move(3)
        assert [(group.count, group.error.message) for group in list_groups().groups] == [(1, "boom")]
        assert list_groups().at == service.clock.now()


class TestFailures:
    def test_a_conflict_with_another_transaction_is_retried(self, service: Service):
        steps.add(service.storage, *[steps.submission()] * 3)
        service.errors = [StorageConflict(), StorageConflict(), StorageConflict()]
        assert cancel(service) == ChangeTasksResult(3, None)

    @pytest.mark.parametrize("error", [StorageUnavailable, StorageConflict])
    def test_a_failure_after_some_batches_is_answered_with_a_cursor(
        self, service: Service, error: type[StorageUnavailable]
    ):
        steps.add(service.storage, *[steps.submission()] * 5)
        breaking = Breaking(service, after=3, error=error)
        assert CancelTasks(breaking.begin, service.clock, service, service.unblock)(
            ChangeTasksRequest(filter=Filter())
        ) == ChangeTasksResult(4, TaskId(2))
        assert cancel(service, before=TaskId(2)) == ChangeTasksResult(1, None)

    def test_a_failure_in_the_first_batch_is_raised(self, service: Service):
        steps.add(service.storage, steps.submission())
        service.away = True
        with pytest.raises(StorageUnavailable):
            cancel(service)


class Unblocking:
    """A storage in which a janitor unblocks tasks before each unit of work. `failed`: those that have failed by it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.failed: list[TaskId] = []

    def begin(self) -> AbstractContextManager[MemoryUnitOfWork]:
        decided = self._service.unblock().tasks
        self.failed += [task.id for task in decided if task.status is Status.FAILED]
        return self._service.begin()


class Slow:
    """A storage in which each unit of work takes a while."""

    def __init__(self, service: Service, seconds: float) -> None:
        self._service, self._seconds = service, seconds

    def begin(self) -> AbstractContextManager[MemoryUnitOfWork]:
        self._service.clock.move(self._seconds)
        return self._service.begin()


class Breaking:
    """A storage that fails for good after so many units of work."""

    def __init__(self, service: Service, after: int, error: type[StorageUnavailable]) -> None:
        self._service, self._left, self._error = service, after, error

    def begin(self) -> AbstractContextManager[MemoryUnitOfWork]:
        if not self._left:
            raise self._error
        self._left -= 1
        return self._service.begin()


def test_tasks_are_counted_by_type_and_status(service: Service):
    one_of_each(service)
    assert service.api.count_tasks()() == {ADD: dict.fromkeys(Status, 1)}


def test_fold_counts_retries_a_conflict(service: Service):
    service.errors = [StorageConflict()]
    assert service.janitor.fold_counts()() == 0
