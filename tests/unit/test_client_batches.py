"""Batches of the client: created, filled, followed, read and changed."""

from collections.abc import Iterator
from typing import Any

import numpy
import pytest

from application.use_cases import change_tasks
from application.use_cases.finish_batches import FinishBatches
from domain.ids import TaskId
from domain.settlement import Settlement
from entrypoints.http.openapi.batch_schemas import BATCH, BATCH_SUMMARY
from flask_tasks.client import (
    Batch,
    BatchFailure,
    BatchSummary,
    Callback,
    Client,
    Conflict,
    Invalid,
    Item,
    NotFound,
    Reported,
    TaskFailed,
    Unavailable,
    reference,
)
from flask_tasks.client.many import BodyLimits
from tests import steps
from tests.unit.client_service import Connected
from tests.unit.http_service import Service, configured
from tests.unit.test_client_tasks import members

ROWS: list[Item] = [{"type": "add", "args": {"a": n}} for n in range(5)]


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    service.publish("add", schema='{"type":"object","properties":{"a":{}},"additionalProperties":false}')
    yield service
    service.change_feed.close()
    service.batch_feed.close()


@pytest.fixture
def connected(service: Service) -> Connected:
    return Connected(service)


@pytest.fixture
def client(connected: Connected) -> Client:
    return connected.client


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request has two tasks at most."""
    monkeypatch.setattr(f"{Batch.__module__}.WHOLE", BodyLimits(2, 1_000))


def finish(service: Service, *ids: int) -> None:
    """Finish tasks with their ids as results, and the batches that are ready by then."""
    running = {
        each.task.id: each.task for each in steps.claim(service.storage, wanted={"add": 100}, now=service.clock.now())
    }
    for id in ids:
        steps.succeed(service.storage, running.pop(TaskId(id)), service.clock.now(), str(id))
    for task in running.values():
        steps.settle(service.storage, Settlement.released(task, service.clock.now()))
    finish_batches(service)


def finish_batches(service: Service) -> None:
    """Do what a janitor does each second."""
    finish = FinishBatches(service.begin, service.storage.pending, service.clock, service.wake_up)
    while finish.due():
        pass


def test_the_classes_of_batches_have_the_fields_of_the_api() -> None:
    assert members(BatchSummary) == {*BATCH_SUMMARY["properties"]}
    assert members(Batch) == {*BATCH["properties"], "ids", "_batches"}
    assert members(BatchFailure) == {*BATCH["properties"]["failures"]["items"]["properties"]}


class TestCreate:
    def test_a_batch_is_returned_as_the_service_shows_it(self, service: Service, client: Client) -> None:
        batch = client.batch(ROWS[:3], name="sums", labels={"user": "ana"}, then={"type": "add", "args": {"a": 9}})
        shown = service.client.get("/batches/1").get_json()
        assert {name: getattr(batch, name) for name in shown} == shown | {"progress": Reported(**shown["progress"])}
        assert (batch.ids, batch.then, batch.total, batch.counts["waiting"]) == ((1, 2, 3), 4, 3, 3)
        assert (batch.name, batch.labels, batch.open, batch.is_final) == ("sums", {"user": "ana"}, False, False)
        assert [client.view(id).args for id in (3, 4)] == [{"a": 2}, {"a": 9}]

    def test_a_batch_without_tasks_has_finished(self, client: Client) -> None:
        batch = client.batch()
        assert (batch.ids, batch.total, batch.is_final, [*batch.results()]) == ((), 0, True, [])

    def test_a_batch_may_have_a_callback(self) -> None:
        client = Connected(configured(webhook_secret=(b"s" * 24,))).client
        url = "https://example.org/told"
        batch = client.batch([{}], callback=url)
        assert batch.callback == Callback(url=url, state="waiting", attempts=0, next=None, error=None)

    def test_items_have_labels_options_and_dependencies(self, client: Client) -> None:
        first = client.submit()
        batch = client.batch(
            [
                {"labels": {"user": "ana"}, "after": ["last", first], "if_failed": "run"},
                {"ref": "last", "priority": 5, "ttl": None},
            ]
        )
        late, last = map(client.view, batch.ids)
        assert (late.labels, late.after, late.waiting_for) == ({"user": "ana"}, (first.id, last.id), "tasks")
        assert last.priority == 5
        client.cancel(first)
        client.cancel(last)
        assert client.view(late).status == "waiting"

    def test_numpy_values_are_sent_as_they_come_out(self, client: Client) -> None:
        batch = client.batch([{"type": "add", "args": {"a": numpy.eye(2)}}], then={"args": {"n": numpy.int32(7)}})
        assert batch.then is not None
        assert (client.view(batch.ids[0]).args, client.view(batch.then).args) == (
            {"a": [[1.0, 0.0], [0.0, 1.0]]},
            {"n": 7},
        )

    def test_wrong_items_are_named_by_path_and_prevent_all(self, client: Client) -> None:
        with pytest.raises(Invalid) as caught:
            client.batch([{}, {"type": "nobody"}, {"key": "k"}])
        assert sorted(caught.value.errors["json"]) == ["$.tasks.1.type", "$.tasks.2.idempotency_key"]
        assert ([*client.batches()], [*client.list()]) == ([], [])

    def test_a_batch_with_the_same_key_is_the_same_batch(self, client: Client) -> None:
        first, again = (client.batch(ROWS, key="sweep") for _ in range(2))
        assert (again.id, again.ids) == (first.id, first.ids)
        assert client.batch(ROWS).id == 2
        with pytest.raises(Invalid):
            client.batch(ROWS[1:], key="sweep")

    def test_a_batch_is_created_once_though_the_answer_is_lost(self, connected: Connected) -> None:
        connected.line.loses = {1}
        assert connected.client.batch(ROWS).ids == (1, 2, 3, 4, 5)
        assert len([*connected.client.batches()]) == 1


@pytest.mark.usefixtures("two_at_once")
class TestCreateLarge:
    def test_a_batch_of_one_request_is_never_open(self, connected: Connected) -> None:
        assert not connected.client.batch(ROWS[:2]).open
        assert connected.sent() == [("POST", "/batches"), ("GET", "/batches/1")]

    def test_more_tasks_are_added_before_the_batch_is_closed(self, connected: Connected) -> None:
        batch = connected.client.batch(iter(ROWS))
        assert (batch.ids, batch.total, batch.open) == ((1, 2, 3, 4, 5), 5, False)
        assert [path for _, path in connected.sent()] == [
            "/batches",
            "/batches/1/tasks",
            "/batches/1/tasks",
            "/batches/1/close",
            "/batches/1",
        ]

    def test_an_open_batch_stays_open(self, client: Client) -> None:
        batch = client.batch(ROWS, open=True)
        assert (batch.ids, batch.open) == ((1, 2, 3, 4, 5), True)

    def test_each_request_may_lose_its_answer(self, connected: Connected) -> None:
        connected.line.loses = {1, 3, 5, 7, 9}
        batch = connected.client.batch(ROWS)
        assert ([*batch.ids], batch.total, batch.open) == (sorted(task.id for task in batch.tasks()), 5, False)
        assert [connected.client.view(id).args["a"] for id in batch.ids] == [0, 1, 2, 3, 4]

    def test_a_closed_batch_is_found_again_by_its_key(self, client: Client) -> None:
        first, again = (client.batch(ROWS, key="sweep") for _ in range(2))
        assert (again.id, again.ids, again.total) == (first.id, first.ids, 5)

    def test_a_wrong_item_of_a_later_request_leaves_the_batch_open(self, client: Client) -> None:
        with pytest.raises(Invalid):
            client.batch([*ROWS[:3], {"type": "nobody"}])
        (left,) = client.batches()
        assert (left.total, left.open) == (2, True)


class TestOpenBatches:
    def test_tasks_are_added_until_the_batch_is_closed(self, client: Client) -> None:
        empty = client.batch(open=True)
        batch = empty.add(ROWS[:1]).add(ROWS[1:3])
        assert (empty.ids, batch.ids, batch.total, batch.open) == ((), (1, 2, 3), 3, True)
        closed = batch.close()
        assert (closed.ids, closed.open) == ((1, 2, 3), False)
        with pytest.raises(Conflict):
            closed.add(ROWS)

    def test_added_tasks_are_added_once_by_their_key(self, connected: Connected) -> None:
        batch = connected.client.batch(open=True)
        connected.line.loses = {3}
        assert batch.add(ROWS[:2]).total == 2
        first, again = (batch.add(ROWS[:1], key="k") for _ in range(2))
        assert (again.ids, again.total) == (first.ids, 3)
        assert batch.add(ROWS[:1]).total == 4

    @pytest.mark.usefixtures("two_at_once")
    def test_many_tasks_are_added_by_several_requests(self, client: Client) -> None:
        assert client.batch(open=True).add(ROWS, key="k").ids == (1, 2, 3, 4, 5)


class TestFollow:
    def test_wait_returns_the_finished_batch(self) -> None:
        connected = Connected(configured(http_waiters=0))  # No request waits: the client sleeps instead.
        batch = connected.client.batch([{}])
        connected.client.cancel(1)
        connected.pauses.then = lambda: finish_batches(connected.service)
        finished = batch.wait()
        assert finished.is_final
        assert (finished.counts["cancelled"], finished.progress.value, finished.ids) == (1, 1.0, (1,))
        assert not batch.is_final

    def test_wait_returns_the_present_batch_after_some_seconds(self) -> None:
        connected = Connected(configured(http_waiters=0))
        start = connected.pauses.monotonic()
        assert not connected.client.batch([{}]).wait(2.5).is_final
        assert not connected.client.view_batch(1, 1.5).is_final
        assert connected.pauses.monotonic() == start + 4

    def test_refresh_returns_the_batch_as_it_is_now(self, service: Service, client: Client) -> None:
        batch = client.batch(ROWS)
        finish(service, 1, 2)
        now = batch.refresh()
        assert (now.progress, now.counts["done"], now.ids) == (Reported(value=0.4, message="2 of 5"), 2, batch.ids)
        assert batch.progress.value == 0.0

    def test_failures_tell_the_error(self, service: Service, client: Client) -> None:
        batch = client.batch(ROWS)
        service.fail("add")
        (failure,) = batch.refresh().failures
        assert (failure.id, failure.type, failure.error) == (1, "add", client.view(1).error)

    def test_events_yield_the_batch_until_it_has_finished(self, service: Service, connected: Connected) -> None:
        connected.line.cuts = {3}
        batches = connected.client.batch(ROWS[:2]).events()
        assert next(batches).progress.value == 0.0
        finish(service, 1, 2)
        assert [(batch.is_final, batch.ids) for batch in batches] == [(True, (1, 2))]

    def test_an_unknown_batch_is_not_found(self, client: Client) -> None:
        with pytest.raises(NotFound, match="batch id 7 is not registered"):
            client.view_batch(7)

    def test_batches_are_listed_newest_first_page_by_page(self, connected: Connected) -> None:
        for n in range(3):
            connected.client.batch(ROWS[:n])
        listed = [*connected.client.batches(limit=2)]
        assert [(type(each), each.id, each.total) for each in listed] == [(BatchSummary, n, n - 1) for n in (3, 2, 1)]
        assert connected.sent()[-2:] == [("GET", "/batches")] * 2
        assert connected.client.view_batch(listed[0]).id == 3


class TestTasks:
    def test_tasks_are_those_of_the_batch_newest_first(self, client: Client) -> None:
        client.submit()
        batch = client.batch(ROWS[:2])
        client.submit()
        assert [task.id for task in batch.tasks()] == [3, 2]
        assert [task.id for task in client.list(batch=batch.id, type="add")] == [3, 2]

    def test_results_come_in_the_order_of_the_items(self, service: Service, connected: Connected) -> None:
        results = connected.client.batch(ROWS[:3]).results()
        finish(service, 3)
        connected.pauses.then = lambda: finish(service, 2, 1)
        assert [*results] == [1, 2, 3]
        assert ("GET", "/tasks") not in connected.sent()[:2]

    def test_a_failed_task_is_raised_in_its_turn(self, service: Service, client: Client) -> None:
        results = client.batch(ROWS[:2]).results()
        service.succeed('"good"', "add")
        service.fail("add")
        assert next(results) == "good"
        with pytest.raises(TaskFailed) as caught:
            next(results)
        assert caught.value.task.id == 2

    def test_a_batch_that_is_looked_up_has_all_results(self, service: Service, client: Client) -> None:
        client.batch(ROWS[:3])
        finish(service, 1, 2, 3)
        assert [*client.view_batch(1).results()] == [1, 2, 3]

    def test_an_open_batch_has_the_results_of_tasks_that_were_added_elsewhere(
        self, service: Service, client: Client
    ) -> None:
        batch = client.batch(ROWS[:1], open=True)
        client.view_batch(batch).add(ROWS[:2])
        finish(service, 1, 2, 3)
        assert [*batch.results()] == [*batch.close().results()] == [1, 2, 3]

    def test_a_deleted_task_is_not_found(self, client: Client) -> None:
        batch = client.batch(ROWS[:1])
        client.delete(1)
        with pytest.raises(NotFound):
            next(batch.results())

    def test_a_deleted_task_of_a_batch_that_is_looked_up_is_not_found(self, service: Service, client: Client) -> None:
        client.batch(ROWS[:3])
        finish(service, 1, 2, 3)
        client.delete(2)
        with pytest.raises(NotFound, match="batch 1 has 2 of its 3 tasks: the others were deleted"):
            client.view_batch(1).results()


class TestChanges:
    def test_cancel_cancels_its_tasks_and_closes_it(self, service: Service, client: Client) -> None:
        batch = client.batch(ROWS[:3], open=True)
        finish(service, 1)
        cancelled = batch.cancel()
        assert (cancelled.open, cancelled.is_final, cancelled.ids) == (False, True, batch.ids)
        assert (cancelled.counts["done"], cancelled.counts["cancelled"]) == (1, 2)

    def test_cancel_goes_on_until_all_tasks_are_cancelled(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(change_tasks, "BATCH_TASKS", 2)
        defaults = change_tasks.ChangeTasksRequest.__init__.__kwdefaults__ or {}
        monkeypatch.setitem(defaults, "seconds", 0)
        connected = Connected(service)
        connected.line.loses = {3}
        assert connected.client.batch(ROWS).cancel().counts["cancelled"] == 5
        assert connected.sent().count(("POST", "/batches/1/cancel")) >= 3

    def test_retry_lets_failed_and_cancelled_tasks_wait_again(self, service: Service, client: Client) -> None:
        batch = client.batch(ROWS[:3])
        finish(service, 1)
        service.fail("add")
        again = batch.cancel().retry()
        assert (again.is_final, again.counts["waiting"], again.counts["done"]) == (False, 2, 1)

    def test_retry_goes_on_behind_the_last_task(self, connected: Connected, monkeypatch: pytest.MonkeyPatch) -> None:
        batch = connected.client.batch(ROWS).cancel()
        monkeypatch.setattr(change_tasks, "BATCH_TASKS", 2)
        monkeypatch.setitem(change_tasks.ChangeTasksRequest.__init__.__kwdefaults__ or {}, "seconds", 0)
        assert batch.retry().counts["waiting"] == len(ROWS)
        cursors = [each.url.params.get("cursor") for each in connected.line.requests if each.url.path.endswith("retry")]
        assert cursors == [None, "4", "2"]

    def test_retry_is_not_repeated_where_it_may_have_been_carried_out(self, connected: Connected) -> None:
        batch = connected.client.batch(ROWS)
        connected.line.loses = {3}
        with pytest.raises(Unavailable):
            batch.retry()
        assert connected.sent()[2:] == [("POST", "/batches/1/retry")]


def test_the_text_of_a_batch_shows_its_values_alone(client: Client) -> None:
    text = repr(client.batch(ROWS[:1]))
    assert "ids=(1,)" in text
    assert "_batches" not in text


class TestDependencies:
    """Tasks that wait for others outside of batches."""

    @pytest.mark.parametrize("after", [[1, 2], iter([2, 1])])
    def test_a_task_waits_for_others(self, client: Client, after: Any) -> None:
        client.submit_many([{}, {}])
        task = client.submit("add", {"a": 1}, after=after, if_failed="run")
        assert (task.after, task.waiting_for, task.run_at) == ((1, 2), "tasks", None)
        for id in (1, 2):
            client.cancel(id)
        assert client.view(task).status == "waiting"

    def test_a_task_fails_by_its_parent(self, client: Client) -> None:
        parent = client.submit()
        child = client.submit(after=[parent])
        client.cancel(parent)
        with pytest.raises(TaskFailed) as caught:
            client.result(child, 0)
        assert caught.value.type == "ParentFailed"

    def test_a_task_gets_the_results_of_others(self, client: Client) -> None:
        first = client.submit("add", {"a": 1})
        args = {"a": [reference(first, "$.x"), reference(first.id)]}
        task = client.submit("add", args, references=True)
        assert (task.args, task.after) == ({"a": [{"$result": 1, "path": "$.x"}, {"$result": 1}]}, (1,))
        assert client.submit("add", args, references=False).after == ()

    def test_items_get_the_results_of_each_other(self, client: Client) -> None:
        item: Item = {"type": "add", "args": {"a": reference("first", "$[-1]")}, "references": True}
        first, second = client.batch([{"type": "add", "ref": "first"}, item]).ids
        assert client.view(second).args == {"a": {"$result": first, "path": "$[-1]"}}
        more = client.submit_many([{"ref": "first"}, item])
        assert client.view(more[1]).after == (more[0],)

    def test_a_task_after_no_other_waits_for_none(self, client: Client) -> None:
        assert client.submit(after=[]).waiting_for == client.submit().waiting_for

    def test_each_row_of_a_map_waits_for_the_same_tasks(self, client: Client) -> None:
        first = client.submit()
        client.map("add", [{"a": 1}, {"a": 2}], after=iter([first]))
        assert [client.view(id).after for id in (2, 3)] == [(1,), (1,)]
