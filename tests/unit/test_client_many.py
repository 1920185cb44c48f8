"""Many tasks of the client: results, results as they come, and `map`."""

import json
from collections.abc import Iterator

import httpx
import numpy
import pytest

from domain.ids import TaskId
from domain.settlement import Settlement
from entrypoints.http.routes import json_lines
from flask_tasks.client import Client, Gone, Invalid, NotFound, TaskFailed, Unavailable, many
from flask_tasks.client.client import MAX_QUIET_SECONDS
from tests import steps
from tests.unit.client_service import Connected
from tests.unit.http_service import Service


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    service.publish("add", schema='{"type":"object","properties":{"a":{}},"additionalProperties":false}')
    yield service
    service.change_feed.close()


@pytest.fixture
def connected(service: Service, monkeypatch: pytest.MonkeyPatch) -> Connected:
    """A client of a service that sends its lists in pages of two tasks."""
    monkeypatch.setattr(json_lines, "PAGE_TASKS", 2)
    return Connected(service)


@pytest.fixture
def client(connected: Connected) -> Client:
    return connected.client


def submit(client: Client, number: int) -> list[int]:
    return client.submit_many({"type": "add", "args": {"a": n}} for n in range(number))


def finish(service: Service, *ids: int) -> None:
    """Finish tasks with their ids as results."""
    running = {
        each.task.id: each.task for each in steps.claim(service.storage, wanted={"add": 100}, now=service.clock.now())
    }
    for id in ids:
        service.clock.move(1)
        steps.succeed(service.storage, running.pop(TaskId(id)), service.clock.now(), str(id))
    for task in running.values():
        steps.settle(service.storage, Settlement.released(task, service.clock.now()))


class TestResults:
    def test_results_yield_the_tasks_newest_first(self, service: Service, client: Client) -> None:
        ids = submit(client, 5)
        service.succeed("[1]", "add")
        found = [*client.results([*ids, 99])]
        assert found == [client.view(id) for id in reversed(ids)]
        assert (found[-1].args, found[-1].result) == ({"a": 0}, [1])

    def test_results_of_nothing_send_no_request(self, connected: Connected) -> None:
        assert [*connected.client.results([])] == []
        assert connected.sent() == []

    def test_results_that_are_cut_off_go_on_with_those_that_are_missing(self, connected: Connected) -> None:
        ids = submit(connected.client, 7)
        connected.line.cuts, connected.line.loses = {2}, {3}
        assert [task.id for task in connected.client.results(ids)] == [7, 6, 5, 4, 3, 2, 1]
        assert [request.url.params.get("ids") for request in connected.line.requests[1:]] == [
            "7,6,5,4,3,2,1",
            "3,2,1",
            "3,2,1",
        ]

    def test_results_that_are_cut_off_behind_the_last_one_are_whole(self, service: Service, client: Client) -> None:
        ids = submit(client, 2)
        answer = service.client.get("/tasks?ids=1,2&include=args,result", headers=many.JSON_LINES).text
        without_end = answer.removesuffix('{"next":null}\n')
        requests: list[httpx.Request] = []

        def cut(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return httpx.Response(200, text=without_end)

        assert [task.id for task in Client("http://s", transport=httpx.MockTransport(cut)).results(ids)] == [2, 1]
        assert len(requests) == 1

    def test_results_go_on_after_an_outage_in_the_middle(
        self, service: Service, connected: Connected, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json_lines, "MAX_OUTAGE_SECONDS", 0)
        found = connected.client.results(submit(connected.client, 5))
        first = next(found)
        service.away = True
        connected.pauses.then = lambda: setattr(service, "away", False)
        assert [first.id, *(task.id for task in found)] == [5, 4, 3, 2, 1]
        assert len(connected.pauses.taken) == 1

    def test_results_of_an_unavailable_service_raise_an_error_after_the_retries(self, service: Service) -> None:
        connected = Connected(service, retries=3)
        connected.line.loses = {*range(100)}
        with pytest.raises(Unavailable):
            next(connected.client.results([1]))
        assert len(connected.line.requests) == 4

    def test_ids_are_divided_into_addresses_of_bounded_length(self) -> None:
        portions = [*many.portions(range(10_000, 20_000))]
        assert [id for portion in portions for id in portion] == [*range(19_999, 9_999, -1)]
        assert {len(portion) for portion in portions[:-1]} == {many.MAX_IDS_CHARACTERS // (5 + 3)}


class TestAsCompleted:
    def test_tasks_come_in_the_order_of_their_ends(self, service: Service, client: Client) -> None:
        ids = submit(client, 3)
        finish(service, 2, 3, 1)
        assert [(task.id, task.result) for task in client.as_completed(ids)] == [(2, 2), (3, 3), (1, 1)]

    def test_a_task_comes_as_soon_as_it_has_finished(self, service: Service, connected: Connected) -> None:
        completed = connected.client.as_completed(submit(connected.client, 3))
        finish(service, 2)
        assert next(completed).id == 2
        connected.pauses.then = lambda: finish(service, 3, 1)
        assert [task.id for task in completed] == [3, 1]

    def test_failed_and_cancelled_tasks_come_too(self, service: Service, client: Client) -> None:
        ids = submit(client, 2)
        service.fail("add")
        client.cancel(2)
        assert {task.status for task in client.as_completed(ids)} == {"failed", "cancelled"}

    def test_many_tasks_are_looked_at_by_few_requests(self, service: Service, connected: Connected) -> None:
        ids = submit(connected.client, 60)
        for start in (1, 21, 41):
            finish(service, *range(start, start + 20))
        assert len([*connected.client.as_completed(ids)]) == 60
        assert len(connected.sent()) == 2

    def test_quiet_times_are_waited_for_with_growing_pauses(self, service: Service) -> None:
        connected = Connected(service)
        ids = submit(connected.client, 2)
        looks = 0

        def then() -> None:
            nonlocal looks
            looks += 1
            if looks == 8:
                finish(service, 1, 2)

        connected.pauses.then = then
        service.change_feed.close()  # No request waits: each is answered at once, and the client sleeps instead.
        assert [task.id for task in connected.client.as_completed(ids)] == [1, 2]
        waits = [float(each.url.params["wait"]) for each in connected.line.requests if "wait" in each.url.params]
        assert waits[0] == 0.2
        assert max(waits) <= MAX_QUIET_SECONDS

    def test_a_task_that_was_deleted_is_an_error(self, connected: Connected) -> None:
        task = connected.client.submit("add", {"a": 1})
        connected.client.delete(task)
        with pytest.raises(Gone):
            next(connected.client.as_completed([task]))
        with pytest.raises(NotFound):
            next(connected.client.as_completed([task.id]))

    def test_no_tasks_are_completed_at_once(self, client: Client) -> None:
        assert [*client.as_completed([])] == []


class TestMap:
    def test_results_come_in_the_order_of_the_rows(self, service: Service, connected: Connected) -> None:
        results = connected.client.map("add", ({"a": n} for n in range(3)), priority=7, labels={"user": "ana"})
        assert [task.args for task in connected.client.results([1, 2, 3])] == [{"a": 2}, {"a": 1}, {"a": 0}]
        assert [(task.priority, task.labels) for task in connected.client.results([1])] == [(7, {"user": "ana"})]
        finish(service, 3)
        connected.pauses.then = lambda: finish(service, 2, 1)
        assert [*results] == [1, 2, 3]

    def test_many_rows_are_submitted_in_several_requests(
        self, service: Service, connected: Connected, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(f"{Client.__module__}.PIECE", many.BodyLimits(2, 1_000))
        results = connected.client.map("add", [{"a": n} for n in range(5)])
        assert connected.sent() == [("POST", "/tasks")] * 3
        finish(service, 5, 4, 3, 2, 1)
        assert [*results] == [1, 2, 3, 4, 5]

    def test_a_body_has_bounded_bytes_but_for_a_single_item(self) -> None:
        limits = many.BodyLimits(tasks=3, bytes=6)
        items = [b"12", b"34", b"567", b"1234567", b"8"]
        assert [*many.bodies(items, limits)] == [b"[12,34]", b"[567]", b"[1234567]", b"[8]"]
        assert [*many.bodies([], limits)] == []

    def test_a_failed_task_is_raised_in_its_turn(self, service: Service, client: Client) -> None:
        results = client.map("add", [{"a": 1}, {"a": 2}])
        service.succeed('"good"', "add")
        service.fail("add")
        assert next(results) == "good"
        with pytest.raises(TaskFailed) as caught:
            next(results)
        assert caught.value.task.id == 2

    def test_a_row_that_does_not_fit_is_refused_at_once(self, client: Client) -> None:
        with pytest.raises(Invalid):
            client.map("add", [{"b": 1}])

    def test_no_rows_have_no_results(self, connected: Connected) -> None:
        assert [*connected.client.map("add", [])] == []
        assert connected.sent() == []

    def test_numpy_values_go_in_as_they_come_out(self, service: Service, client: Client) -> None:
        rows = [{"a": value} for value in (numpy.arange(3), numpy.float64(0.1), numpy.int32(7), numpy.eye(2))]
        results = client.map("add", rows)
        sent = [task.args["a"] for task in client.results(range(1, 5))]
        assert sent == [[[1.0, 0.0], [0.0, 1.0]], 7, 0.1, [0, 1, 2]]
        for value in reversed(sent):
            service.succeed(json.dumps(value), "add")
        assert [*results] == [[0, 1, 2], 0.1, 7, [[1.0, 0.0], [0.0, 1.0]]]
