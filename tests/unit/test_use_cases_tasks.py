"""Submitting, viewing, cancelling, retrying, deleting and listing, over memory."""

from typing import Any

import pytest

from adapters.memory.listing import MemoryListing
from application.conflict_retry import MAX_TRIES
from application.errors import InvalidArguments, StorageConflict, StorageUnavailable, UnknownTask, UnknownType
from application.ports.listing import Filter, Part, Texts
from application.ports.task_repository import TaskRecord
from application.ports.wake_up import Topic
from application.use_cases.list_tasks import ListTasksRequest as ListRequest
from application.use_cases.list_tasks import TaskPage
from application.view import View
from domain.errors import InvalidOption, InvalidTransition
from domain.ids import TaskId, TypeName
from domain.instants import after
from domain.options import Options
from domain.status import Status
from domain.task import Task
from domain.task_type import TaskType
from domain.waiting import WaitingFor
from tests import steps
from tests.unit.memory_service import Service

ONE, NOBODYS = TaskId(1), TaskId(99)
ADD = TaskType(name=TypeName("add"), options=Options(priority=3, max_attempts=2, timeout=9))


@pytest.fixture
def service() -> Service:
    return Service()


def view(service: Service, id: TaskId = ONE) -> TaskRecord:
    return service.api.view_task()(id).stored


def cancel(service: Service, id: TaskId = ONE) -> View:
    return service.api.cancel_task()(id)


def retry(service: Service, id: TaskId = ONE) -> View:
    return service.api.retry_task()(id)


def delete(service: Service, id: TaskId = ONE) -> None:
    service.api.delete_task()(id)


def run(service: Service, type: str = "default") -> Task:
    return steps.claim_one(service.storage, now=service.clock.now(), wanted={type: 1})


def fail(service: Service, type: str = "default") -> None:
    steps.fail(service.storage, run(service, type), service.clock.now())


class TestSubmitting:
    def test_a_submitted_task_is_stored_and_handlers_are_woken(self, service: Service):
        answer = service.submit(args={"é": [1, "\0"]})
        assert (answer.task.id, answer.task.status) == (ONE, Status.WAITING)
        assert view(service) == answer.stored
        assert answer.stored.args == '{"é":[1,"\\u0000"]}'
        assert service.told == [Topic.WAITING]

    def test_the_default_type_is_known_before_it_is_published(self, service: Service):
        assert service.submit().waiting_for is WaitingFor.NO_HANDLER_FOR_TYPE

    def test_an_unpublished_type_is_refused_with_the_known_ones(self, service: Service):
        service.publish(ADD)
        with pytest.raises(UnknownType) as refusal:
            service.submit("sub")
        assert str(refusal.value) == "type sub is not published; the known types are default, add"

    def test_arguments_that_do_not_fit_are_refused_and_nothing_is_stored(self, service: Service):
        with pytest.raises(InvalidArguments) as refusal:
            service.submit(args={"wrong": 1})
        assert refusal.value.errors == {"$.wrong": ['is not in {"type":"object"}']}
        with pytest.raises(UnknownTask):
            view(service)
        assert service.told == []

    def test_a_task_has_the_options_of_its_type_unless_others_are_given(self, service: Service):
        service.publish(ADD)
        task = service.submit("add", options={"priority": -5, "max_losses": 0}).task
        assert (task.priority, task.max_attempts, task.max_losses, task.timeout) == (-5, 2, 0, 9)

    def test_options_out_of_bounds_are_refused_and_nothing_is_stored(self, service: Service):
        for asked in ({"options": {"priority": 101}}, {"ttl": 0}):
            with pytest.raises(InvalidOption):
                service.submit(**asked)
        with pytest.raises(UnknownTask):
            view(service)

    def test_a_task_has_the_ttl_of_the_service_or_its_own(self, service: Service):
        now = service.clock.now()
        assert service.submit().task.expire == after(now, 600)
        assert service.submit(ttl=5).task.expire == after(now, 5)

    def test_a_delay_or_run_at_sets_when_a_task_may_run(self, service: Service):
        now = service.clock.now()
        assert service.submit(delay=2.5).task.run_at == after(now, 2.5)
        delayed = service.submit(run_at=after(now, 60))
        assert (delayed.task.run_at, delayed.waiting_for) == (after(now, 60), WaitingFor.RUN_AT)


class TestViewing:
    def test_an_unknown_task_is_named_by_its_id(self, service: Service):
        with pytest.raises(UnknownTask, match=r"^task id 99 is not registered$"):
            view(service, NOBODYS)

    def test_a_view_shows_the_result_of_a_done_task(self, service: Service):
        service.submit()
        steps.succeed(service.storage, run(service), result="[1]")
        assert view(service).result == "[1]"

    def test_a_view_shows_what_a_task_waits_for(self, service: Service):
        service.publish(ADD, seconds=30)
        service.submit("add")
        seen = service.api.view_task()
        assert seen(ONE).waiting_for is WaitingFor.HANDLER
        service.clock.move(60)
        assert seen(ONE).waiting_for is WaitingFor.NO_HANDLER_FOR_TYPE
        run(service, "add")
        assert seen(ONE).waiting_for is None


class TestCancelling:
    def test_cancelling_a_waiting_task_notifies_no_handler(self, service: Service):
        service.submit()
        service.told.clear()
        cancel(service)
        assert view(service).task.status is Status.CANCELLED
        assert service.told == [Topic.CHANGED]

    def test_a_cancelled_task_is_viewed_in_the_same_unit_of_work(self, service: Service):
        """In another unit of work, the view could fail after the change succeeded."""
        service.submit()
        begun = service.begun
        assert cancel(service).task.status is Status.CANCELLED
        assert retry(service).task.status is Status.WAITING
        # Beside the change, each asks for tasks that wait for this one.
        assert service.begun - begun == 4

    def test_cancelling_a_running_task_notifies_its_handler(self, service: Service):
        service.submit()
        run(service)
        cancel(service)
        assert service.told[-2:] == [Topic.TAKEN, Topic.CHANGED]

    def test_cancelling_twice_changes_nothing(self, service: Service):
        service.submit()
        run(service)
        cancel(service)
        before, told = view(service), list(service.told)
        service.clock.move(5)
        cancel(service)
        assert (view(service), service.told) == (before, told)

    def test_cancelling_a_done_or_failed_task_is_refused(self, service: Service):
        service.submit()
        fail(service)
        with pytest.raises(InvalidTransition, match="task 1 is failed: cancel accepts only a task that is running"):
            cancel(service)

    def test_a_late_outcome_does_not_undo_a_cancel(self, service: Service):
        service.submit()
        running = run(service)
        cancel(service)
        assert list(steps.succeed(service.storage, running)) == [1]
        assert view(service).task.status is Status.CANCELLED


class TestRetrying:
    def test_a_failed_task_waits_again_with_the_attempts_of_its_type(self, service: Service):
        service.publish(ADD)
        service.submit("add", options={"max_attempts": 1})
        fail(service, "add")
        service.told.clear()
        retry(service)
        task = view(service).task
        assert (task.status, task.attempt, task.max_attempts) == (Status.WAITING, 1, 3)
        assert service.told == [Topic.WAITING, Topic.CHANGED]

    def test_a_retried_task_of_an_unknown_type_gets_one_attempt(self, service: Service):
        steps.add(service.storage, steps.submission("gone"))
        fail(service, "gone")
        retry(service)
        assert view(service).task.max_attempts == 2

    @pytest.mark.parametrize("status", [Status.WAITING, Status.RUNNING, Status.DONE])
    def test_retrying_a_task_that_is_neither_failed_nor_cancelled_is_refused(self, service: Service, status: Status):
        service.submit()
        if status is not Status.WAITING:
            running = run(service)
        if status is Status.DONE:
            steps.succeed(service.storage, running)
        before, told = view(service), list(service.told)
        with pytest.raises(InvalidTransition):
            retry(service)
        assert (view(service), service.told) == (before, told)


class TestDeleting:
    def test_a_deleted_task_is_unknown(self, service: Service):
        service.submit()
        delete(service)
        with pytest.raises(UnknownTask):
            view(service)

    def test_deleting_a_running_task_is_refused(self, service: Service):
        service.submit()
        run(service)
        with pytest.raises(InvalidTransition):
            delete(service)
        assert view(service).task.status is Status.RUNNING


@pytest.mark.parametrize("verb", [view, cancel, retry, delete])
def test_changing_an_unknown_task_is_refused(service: Service, verb):
    with pytest.raises(UnknownTask):
        verb(service, NOBODYS)


class TestListing:
    def page(self, service: Service, **asked: Any) -> TaskPage:
        return service.api.list_tasks()(ListRequest(filter=Filter(), **asked))

    def test_pages_of_a_list_follow_each_other_to_the_end(self, service: Service):
        for _ in range(5):
            service.submit(args={"large": "x"})
        first = self.page(service, limit=2)
        second = self.page(service, limit=2, before=first.next)
        third = self.page(service, limit=2, before=second.next)
        assert [[view.task.id for view in page.views] for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
        assert (first.next, second.next, third.next) == (4, 2, None)

    def test_a_full_last_page_has_no_cursor(self, service: Service):
        service.submit()
        service.submit()
        assert self.page(service, limit=2).next is None

    def test_views_in_lists_have_waiting_for_but_no_texts(self, service: Service):
        service.submit(args={"large": "x"})
        (seen,) = self.page(service).views
        assert (seen.stored.args, seen.stored.result) == ("{}", None)
        assert seen.waiting_for is WaitingFor.NO_HANDLER_FOR_TYPE


class TestListingTexts:
    def page(self, service: Service, *parts: Part, **asked: Any) -> TaskPage:
        return service.api.list_tasks()(ListRequest(filter=Filter(), include=frozenset(parts), **asked))

    @pytest.fixture
    def done(self, service: Service) -> Service:
        """Three tasks with results of 400,000 bytes."""
        for n in range(3):
            service.submit(args={"n": n})
        for each in steps.claim(service.storage, wanted={"default": 3}, now=service.clock.now()):
            steps.succeed(service.storage, each.task, service.clock.now(), f'"{"x" * 399_998}"')
        return service

    def test_a_page_ends_where_its_texts_have_too_many_bytes(self, done: Service):
        first = self.page(done, Part.RESULT)
        assert ([view.task.id for view in first.views], first.next, first.is_cut) == ([3, 2], 2, True)
        second = self.page(done, Part.RESULT, before=first.next)
        assert ([view.task.id for view in second.views], second.next, second.is_cut) == ([1], None, False)
        assert [len(view.stored.result or "") for view in second.views] == [400_000]

    def test_texts_that_are_not_asked_for_bound_no_page(self, done: Service):
        views = self.page(done, Part.ARGS).views
        assert [(view.stored.args, view.stored.result) for view in views] == [
            ('{"n":2}', None),
            ('{"n":1}', None),
            ('{"n":0}', None),
        ]

    def test_a_task_that_ends_while_its_page_is_read_is_shown_as_it_was_found(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ):
        service.submit()
        monkeypatch.setattr(MemoryListing, "texts", lambda *_: {TaskId(1): Texts(None, "1")})
        (view,) = self.page(service, Part.RESULT).views
        assert (view.task.status, view.stored.result) == (Status.WAITING, None)

    @pytest.mark.parametrize(("left", "next"), [([3, 1], None), ([3, 2], 2), ([], None)])
    def test_tasks_that_are_deleted_while_their_page_is_read_are_left_out(
        self, done: Service, monkeypatch: pytest.MonkeyPatch, left: list[int], next: int | None
    ):
        monkeypatch.setattr(MemoryListing, "texts", lambda *_: {TaskId(id): Texts() for id in left})
        page = self.page(done, Part.RESULT)
        assert ([view.task.id for view in page.views], page.next) == (left, next)


class TestConflicts:
    def test_a_conflict_with_another_transaction_is_retried(self, service: Service):
        service.submit()
        service.errors = [StorageConflict(), StorageConflict(), StorageConflict()]
        cancel(service)
        assert view(service).task.status is Status.CANCELLED

    def test_a_view_retries_a_conflict_too(self, service: Service):
        """A view may be the first to find that a pooler shares its session with others."""
        service.submit()
        service.errors = [StorageConflict()]
        assert view(service).task.status is Status.WAITING
        service.errors = [StorageConflict()]
        assert service.api.view_log()(TaskId(1)) == []

    def test_conflicts_are_not_retried_for_ever(self, service: Service):
        service.submit()
        service.errors = [StorageConflict() for _ in range(MAX_TRIES)]
        with pytest.raises(StorageConflict):
            cancel(service)
        assert view(service).task.status is Status.WAITING

    def test_an_outage_is_not_retried(self, service: Service):
        service.submit()
        service.away, service.begun = True, 0
        with pytest.raises(StorageUnavailable):
            cancel(service)
        assert service.begun == 1
