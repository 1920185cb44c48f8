"""Batches over HTTP: created, filled, closed, viewed, listed and changed."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from application.errors import StorageUnavailable
from application.json.fingerprint import digest
from application.use_cases import change_tasks
from application.use_cases.change_tasks import ChangeTasksRequest
from application.use_cases.clean import Clean
from application.use_cases.clean_batches import CleanBatches
from application.use_cases.finish_batches import FinishBatches
from application.use_cases.view_batch import MAX_FAILURES
from domain.failure import Failure
from entrypoints.http.routes.items import MAX_TASKS
from tests import steps
from tests.concurrency import until
from tests.conftest import ROOT
from tests.e2e.test_api_page import EXAMPLE, same_json
from tests.unit.http_service import Service, configured

NOW = 1767268802  # the time of the manual clock when a type has been published
NUMBER = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}'
PAGE = (ROOT / "docs" / "batches.md").read_text()
REQUEST = r"curl (?:-X (\w+) )?'?localhost:5000([^\s']*)'?(?:.* -d '(.*)')?"
ZEROS = {"waiting": 0, "running": 0, "done": 0, "failed": 0, "cancelled": 0, "deleted": 0}


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("count", schema=NUMBER)
    return service


def create(service: Service, body: Any, key: str | None = None) -> TestResponse:
    return service.client.post("/batches", json=body, headers={"Idempotency-Key": key} if key else {})


def add(service: Service, items: Any, key: str | None = None, id: int = 1) -> TestResponse:
    return service.client.post(f"/batches/{id}/tasks", json=items, headers={"Idempotency-Key": key} if key else {})


def batch(service: Service, id: int = 1) -> dict[str, Any]:
    answer = service.client.get(f"/batches/{id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def finish(service: Service) -> None:
    """Do what a janitor does each second."""
    finish = FinishBatches(service.begin, service.storage.pending, service.clock, service.wake_up)
    while finish.due():
        pass


def events(service: Service, change: Callable[[], Any], headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """The batches of the events of the stream, during which a change is made."""
    with ThreadPoolExecutor() as background:
        answer = background.submit(lambda: service.client.get("/batches/1/events", headers=headers).text)
        until(lambda: service.batch_feed.subscribers == 1)
        change()
        text = answer.result(timeout=20)
    return [json.loads(data) for data in re.findall("^data: (.*)$", text, re.MULTILINE)]


def errors(answer: TestResponse) -> dict[str, list[str]]:
    assert answer.status_code == 422, answer.text
    return dict(answer.get_json()["errors"]["json"])


class TestCreating:
    def test_a_batch_is_created_with_its_tasks(self, service: Service) -> None:
        items = [{"type": "count", "args": {"n": 1}, "priority": 5}, {"labels": {"user": "ana"}}]
        answer = create(service, {"name": "swéep", "labels": {"run": "7"}, "tasks": items})
        assert (answer.status_code, answer.get_json()) == (201, {"id": 1, "ids": [1, 2], "then": None})
        assert batch(service) == {
            "id": 1,
            "name": "swéep",
            "labels": {"run": "7"},
            "open": False,
            "created": NOW,
            "expire": NOW + 86400,
            "finished": None,
            "total": 2,
            "counts": ZEROS | {"waiting": 2},
            "progress": {"value": 0.0, "message": "0 of 2"},
            "then": None,
            "callback": None,
            "failures": [],
        }
        assert (service.view(1)["batch"], service.view(1)["priority"], service.view(2)["labels"]) == (
            1,
            5,
            {"user": "ana"},
        )

    @pytest.mark.parametrize("body", [{}, {"tasks": []}, {"name": None, "tasks": [], "callback": None}])
    def test_an_empty_batch_has_finished_at_once(self, service: Service, body: Any) -> None:
        assert create(service, body).get_json() == {"id": 1, "ids": [], "then": None}
        assert batch(service)["finished"] == NOW
        assert batch(service)["progress"] == {"value": 1.0, "message": "0 of 0"}

    def test_a_task_without_a_batch_has_no_such_field(self, service: Service) -> None:
        service.submit({"batch": 5})
        assert service.view(1)["batch"] == 5
        create(service, {"tasks": [{"args": {"batch": 5}}]})
        assert (service.view(2)["batch"], service.view(2)["args"]) == (1, {"batch": 5})

    @pytest.mark.parametrize(
        ("body", "paths"),
        [
            (
                {"tasks": [{}, {"type": "sub"}, {"type": "count"}, 5]},
                ["$.tasks.1.type", "$.tasks.2.args.n", "$.tasks.3"],
            ),
            ({"tasks": [{"idempotency_key": "k"}]}, ["$.tasks.0.idempotency_key"]),
            ({"tasks": [{"labels": {"a b": "x"}}]}, ["$.tasks.0.labels.a b"]),
            ({"name": "x" * 201}, ["$.name"]),
            ({"name": 5}, ["$.name"]),
            ({"labels": {"a": 5}}, ["$.labels.a"]),
            ({"labels": {"a b": "x"}}, ["$.labels.a b"]),
            ({"open": "yes"}, ["$.open"]),
            ({"callback": "https://a/b"}, ["$.callback"]),
            ({"Name": "x"}, ["$.Name"]),
        ],
    )
    def test_each_mistake_is_named_and_nothing_is_created(self, service: Service, body: Any, paths: list[str]) -> None:
        assert sorted(errors(create(service, body))) == paths
        assert (service.store.state.rows, service.store.state.batches) == ({}, {})

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("[]", 422),
            ("5", 422),
            ("x", 400),
            ('{"tasks":x}', 400),
            ('{"tasks":[', 400),
            ('{"a":NaN}', 422),
            ('{"a":1,"a":1}', 422),
        ],
    )
    def test_another_body_is_refused(self, service: Service, text: str, code: int) -> None:
        answer = service.client.post("/batches", data=text, content_type="application/json")
        assert answer.status_code == code, answer.text

    @pytest.mark.parametrize("tasks", [None, 5, {}, "x"])
    def test_tasks_that_are_no_array_are_named(self, service: Service, tasks: Any) -> None:
        assert errors(create(service, {"tasks": tasks})) == {"$.tasks": ["it must be an array"]}

    def test_a_task_that_is_much_too_long_is_named(self) -> None:
        service = configured(max_body=1000)
        args = {"n": "x" * 3000}
        assert [*errors(create(service, {"name": "n", "tasks": [{}, {"args": args}]}))] == ["$.tasks.1"]
        assert [*errors(create(service, {"name": "n", "then": {"args": args}}))] == ["$.then"]

    def test_too_many_tasks_are_refused(self, service: Service) -> None:
        assert create(service, {"tasks": [{}] * (MAX_TASKS + 1)}).status_code == 422

    def test_a_callback_is_kept_where_callbacks_can_be_signed(self) -> None:
        service = configured(webhook_secret=b"secret")
        assert create(service, {"callback": "https://example.org/a"}).status_code == 201
        assert sorted(errors(create(service, {"callback": "ftp://a"}))) == ["$.callback"]

    def test_handlers_are_notified(self, service: Service) -> None:
        create(service, {"tasks": [{}]})
        assert service.claim().batch == 1


class TestKeys:
    def test_a_repeated_request_is_answered_with_the_first_batch(self, service: Service) -> None:
        body = {"name": "a", "tasks": [{"type": "count", "args": {"n": 1}}, {}]}
        assert create(service, body, "k").get_json() == {"id": 1, "ids": [1, 2], "then": None}
        service.client.delete("/task/2")
        again = create(service, body, "k")
        assert (again.status_code, again.get_json()) == (200, {"id": 1, "ids": [1, 2], "then": None})
        assert len(service.store.state.batches) == 1

    @pytest.mark.parametrize(
        "other", [{"name": "b", "tasks": [{}]}, {"name": "a"}, {"name": "a", "tasks": [{"args": {"n": 1}}]}, {}]
    )
    def test_another_request_with_the_key_is_refused(self, service: Service, other: Any) -> None:
        create(service, {"name": "a", "tasks": [{}]}, "k")
        answer = create(service, other, "k")
        assert answer.status_code == 422
        assert "batch 1" in answer.get_json()["errors"]["headers"]["Idempotency-Key"][0]

    def test_the_names_of_tasks_are_a_part_of_the_request_and_the_order_of_parents_is_none(
        self, service: Service
    ) -> None:
        def graph(first: str, second: str, **third: Any) -> Any:
            return {"tasks": [{"args": {"n": 1}, "ref": first}, {"args": {"n": 2}, "ref": second}, third]}

        assert create(service, graph("a", "b", after=["a", "b"]), "k").status_code == 201
        assert create(service, graph("a", "b", after=["b", "a"], if_failed="fail"), "k").status_code == 200
        assert create(service, graph("a", "b", after=["a", "b"], if_failed="run"), "k").status_code == 422
        assert create(service, graph("a", "b", after=["a"]), "one").status_code == 201
        assert create(service, graph("b", "a", after=["a"]), "one").status_code == 422

    def test_a_key_of_tasks_is_none_of_batches(self, service: Service) -> None:
        service.client.post("/tasks", json=[{}], headers={"Idempotency-Key": "k"})
        assert create(service, {"tasks": [{}]}, "k").status_code == 201


class TestOpenBatches:
    def test_tasks_are_added_until_it_is_closed(self, service: Service) -> None:
        create(service, {"open": True, "tasks": [{}]})
        assert (add(service, [{}, {}]).status_code, batch(service)["total"]) == (201, 3)
        closed = service.client.post("/batches/1/close").get_json()
        assert (closed["open"], closed["total"]) == (False, 3)
        assert (add(service, [{}]).status_code, batch(service)["total"]) == (409, 3)
        assert service.client.post("/batches/1/close").status_code == 200

    def test_an_open_batch_finishes_only_when_it_is_closed(self, service: Service) -> None:
        create(service, {"open": True})
        finish(service)
        assert batch(service)["finished"] is None
        assert service.client.post("/batches/1/close").get_json()["finished"] is not None

    def test_a_repeated_request_adds_nothing(self, service: Service) -> None:
        create(service, {"open": True})
        create(service, {"open": True})
        assert add(service, [{}, {}], "k").get_json() == {"ids": [1, 2]}
        again = add(service, [{}, {}], "k")
        assert (again.status_code, again.get_json()) == (200, {"ids": [1, 2]})
        assert add(service, [{}], "k", id=2).status_code == 201
        assert add(service, [{}, {"args": {"n": 1}}], "k").status_code == 422
        assert (batch(service)["total"], batch(service, 2)["total"]) == (2, 1)

    def test_a_request_is_repeated_after_the_batch_was_closed(self, service: Service) -> None:
        create(service, {"open": True})
        add(service, [{}, {}], "k")
        service.client.post("/batches/1/close")
        again = add(service, [{}, {}], "k")
        assert (again.status_code, again.get_json()) == (200, {"ids": [1, 2]})
        service.client.delete("/task/2")
        assert add(service, [{}, {}], "k").status_code == 409
        assert batch(service)["total"] == 2

    def test_wrong_items_are_named_by_their_index(self, service: Service) -> None:
        create(service, {"open": True})
        assert sorted(errors(add(service, [{}, {"type": "sub"}, {"idempotency_key": "k"}]))) == [
            "$.1.type",
            "$.2.idempotency_key",
        ]
        assert batch(service)["total"] == 0

    def test_an_open_batch_that_expires_is_closed(self, service: Service) -> None:
        create(service, {"open": True})
        service.clock.move(86400)
        finish(service)
        finish(service)
        assert (batch(service)["open"], batch(service)["finished"]) == (False, NOW + 86400)


class TestFollowing:
    def test_counts_and_progress_follow_the_tasks(self, service: Service) -> None:
        create(service, {"tasks": [{}] * 4})
        service.succeed("1")
        steps.fail(service.storage, service.claim(), service.clock.now(), Failure("ValueError", "boom"))
        service.claim()
        assert batch(service)["counts"] == ZEROS | {"waiting": 1, "running": 1, "done": 1, "failed": 1}
        assert batch(service)["progress"] == {"value": 0.5, "message": "2 of 4"}
        assert batch(service)["failures"] == [
            {"id": 2, "type": "default", "error": {"type": "ValueError", "message": "boom", "attempt": 1}}
        ]

    def test_the_first_failures_are_shown(self, service: Service) -> None:
        create(service, {"tasks": [{}] * (MAX_FAILURES + 2)})
        for _ in range(MAX_FAILURES + 2):
            steps.fail(service.storage, service.claim(), service.clock.now(), Failure("ValueError", "boom"))
            service.clock.move(1)
        assert [each["id"] for each in batch(service)["failures"]] == [1, 2, 3, 4, 5]

    def test_a_batch_finishes_with_its_last_task(self, service: Service) -> None:
        create(service, {"tasks": [{}] * 2})
        service.succeed("1")
        finish(service)
        assert batch(service)["finished"] is None
        service.client.post("/task/2/cancel")
        service.clock.move(1)
        finish(service)
        assert batch(service)["finished"] == NOW + 1

    def test_its_tasks_are_listed(self, service: Service) -> None:
        create(service, {"tasks": [{}] * 2})
        service.submit({})
        listed = service.client.get("/tasks?batch=1").get_json()["tasks"]
        assert [(task["id"], task["batch"]) for task in listed] == [(2, 1), (1, 1)]

    def test_batches_are_listed_newest_first(self, service: Service) -> None:
        for name in "abc":
            create(service, {"name": name})
        first = service.client.get("/batches?limit=2").get_json()
        assert ([each["name"] for each in first["batches"]], first["next"]) == (["c", "b"], "2")
        rest = service.client.get("/batches?limit=2&cursor=2").get_json()
        assert ([each["name"] for each in rest["batches"]], rest["next"]) == (["a"], None)
        assert "failures" not in rest["batches"][0]

    @pytest.mark.parametrize("id", ["7", "0", "x", "9" * 30, "-1"])
    def test_an_unknown_batch_is_404(self, service: Service, id: str) -> None:
        for answer in (
            service.client.get(f"/batches/{id}"),
            service.client.post(f"/batches/{id}/close"),
            service.client.post(f"/batches/{id}/cancel"),
            service.client.post(f"/batches/{id}/retry"),
            service.client.post(f"/batches/{id}/tasks", json=[]),
        ):
            assert (answer.status_code, answer.get_json()["message"]) == (404, f"batch id {id} is not registered")

    def test_an_expired_batch_is_deleted_after_its_tasks(self, service: Service) -> None:
        create(service, {"tasks": [{}]})
        service.client.post("/batches/1/cancel")
        service.clock.move(86401)
        clean = CleanBatches(service.begin, service.clock)
        clean()
        assert service.client.get("/batches/1").status_code == 200
        Clean(service.begin, service.storage.pending, service.clock)()
        service.clock.move(60)
        clean()
        assert service.client.get("/batches/1").status_code == 404


class TestWaiting:
    def test_a_request_that_waits_is_answered_when_the_batch_has_finished(self, service: Service) -> None:
        create(service, {"tasks": [{}]})
        with ThreadPoolExecutor() as background:
            waiting = background.submit(service.client.get, "/batches/1?wait=20")
            until(lambda: service.batch_feed.subscribers == 1)
            service.client.post("/batches/1/cancel")
            answer = waiting.result(timeout=10).get_json()
        assert (answer["finished"], answer["counts"]["cancelled"]) == (NOW, 1)

    def test_a_request_that_waits_is_answered_after_its_time(self, service: Service) -> None:
        create(service, {"tasks": [{}]})
        answer = service.client.get("/batches/1?wait=0.01")
        assert (answer.status_code, answer.get_json()["finished"]) == (200, None)

    def test_a_finished_batch_is_answered_at_once(self, service: Service) -> None:
        create(service, {})
        assert service.client.get("/batches/1?wait=50").get_json()["finished"] == NOW
        assert service.client.get("/batches/1?wait=51").status_code == 422

    def test_too_many_waiting_requests_are_answered_at_once(self) -> None:
        service = configured(http_waiters=0)
        create(service, {"tasks": [{}]})
        answer = service.client.get("/batches/1?wait=20")
        assert (answer.status_code, answer.headers["Retry-After"]) == (200, "1")

    def test_requests_that_wait_for_tasks_and_for_batches_count_together(self) -> None:
        service = configured(http_waiters=1)
        create(service, {"tasks": [{}]})
        with service.client.get("/task/1/events", buffered=False) as waiting:
            next(waiting.iter_encoded())
            assert service.client.get("/batches/1?wait=0.01").headers["Retry-After"] == "1"
        assert "Retry-After" not in service.client.get("/batches/1?wait=0.01").headers
        with service.client.get("/batches/1/events", buffered=False) as waiting:
            next(waiting.iter_encoded())
            assert service.client.get("/task/1?wait=0.01").headers["Retry-After"] == "1"
        service.change_feed.close()
        service.batch_feed.close()


class TestEvents:
    def test_events_show_each_change_until_the_batch_has_finished(self, service: Service) -> None:
        create(service, {"tasks": [{}]})
        seen = events(service, change=lambda: service.client.post("/batches/1/cancel"))
        assert [each["counts"]["cancelled"] for each in seen] == [0, 1]
        assert seen[-1]["finished"] == NOW

    def test_a_client_that_knows_the_last_event_is_told_to_stop(self, service: Service) -> None:
        create(service, {})
        last = re.findall("^id: (.*)$", service.client.get("/batches/1/events").text, re.MULTILINE)[-1]
        assert service.client.get("/batches/1/events", headers={"Last-Event-ID": last}).status_code == 204
        assert service.client.get("/batches/1/events", headers={"Last-Event-ID": "x"}).status_code == 200

    def test_a_client_that_connects_again_is_sent_what_has_changed(self, service: Service) -> None:
        create(service, {"tasks": [{}]})
        first = service.client.get("/batches/1").text
        last = digest(first)
        seen = events(service, lambda: service.client.post("/batches/1/cancel"), {"Last-Event-ID": last})
        assert [each["finished"] for each in seen] == [NOW]

    def test_the_events_of_its_tasks_are_those_of_the_filter(self, service: Service) -> None:
        create(service, {"tasks": [{}, {}]})
        service.submit({})
        service.client.post("/batches/1/cancel")
        text = service.client.get("/events?batch=1").text
        assert sorted(json.loads(data)["id"] for data in re.findall("^data: (.*)$", text, re.MULTILINE)) == [1, 2]

    def test_a_closed_feed_ends_the_stream(self, service: Service) -> None:
        create(service, {"tasks": [{}]})
        assert [each["finished"] for each in events(service, service.batch_feed.close)] == [None]


class TestFollowers:
    def test_a_follower_starts_once_all_tasks_have_finished(self, service: Service) -> None:
        then = {"type": "count", "args": {"n": 1}, "priority": 7}
        assert create(service, {"tasks": [{}, {}], "then": then}).get_json() == {"id": 1, "ids": [1, 2], "then": 3}
        follower = service.view(3)
        assert (follower["status"], follower["waiting_for"], follower["run_at"]) == ("waiting", "tasks", None)
        assert (batch(service)["then"], batch(service)["total"], follower["priority"]) == (3, 2, 7)
        service.succeed("1")
        service.client.post("/task/2/cancel")
        finish(service)
        assert service.view(3)["waiting_for"] != "tasks"
        assert service.claim("count").id == 3

    def test_a_follower_of_an_empty_batch_starts_at_once(self, service: Service) -> None:
        create(service, {"then": {}})
        assert service.claim().id == 1

    def test_a_follower_starts_once_though_the_batch_finishes_again(self, service: Service) -> None:
        create(service, {"tasks": [{}], "then": {"type": "count", "args": {"n": 1}}})
        service.client.post("/batches/1/cancel")
        service.succeed("1", "count")
        service.client.post("/batches/1/retry")
        service.succeed("1")
        finish(service)
        assert (batch(service)["finished"], service.view(2)["status"], service.view(2)["attempt"]) == (NOW, "done", 1)

    def test_a_follower_that_is_cancelled_does_not_start(self, service: Service) -> None:
        create(service, {"tasks": [{}], "then": {}})
        service.client.post("/task/2/cancel")
        service.succeed("1")
        finish(service)
        assert service.view(2)["status"] == "cancelled"

    def test_a_follower_that_is_retried_starts_if_the_batch_has_finished(self, service: Service) -> None:
        create(service, {"tasks": [{}], "then": {}})
        for _ in range(2):
            service.client.post("/task/2/cancel")
            service.client.post("/task/2/retry")
            finish(service)
            assert service.view(2)["waiting_for"] == "tasks"
        service.client.post("/task/2/cancel")
        service.succeed("1")
        finish(service)
        service.client.post("/task/2/retry")
        finish(service)
        assert service.claim().id == 2

    def test_a_deleted_follower_keeps_no_batch_from_finishing(self, service: Service) -> None:
        create(service, {"tasks": [{}], "then": {}})
        service.client.delete("/task/2")
        service.client.post("/batches/1/cancel")
        assert batch(service)["finished"] == NOW

    @pytest.mark.parametrize(
        ("then", "path"),
        [
            ({"type": "sub"}, "$.then.type"),
            ({"type": "count"}, "$.then.args.n"),
            ({"delay": 5}, "$.then.delay"),
            ({"after": [1]}, "$.then.after"),
            ({"idempotency_key": "k"}, "$.then.idempotency_key"),
            (5, "$.then"),
        ],
    )
    def test_a_wrong_follower_is_named(self, service: Service, then: Any, path: str) -> None:
        assert list(errors(create(service, {"tasks": [{}], "then": then}))) == [path]
        assert service.store.state.rows == {}

    def test_the_follower_is_part_of_what_a_key_stands_for(self, service: Service) -> None:
        create(service, {"then": {}}, "k")
        assert create(service, {"then": {}}, "k").get_json() == {"id": 1, "ids": [], "then": 1}
        assert create(service, {"then": {"args": {"n": 1}}}, "k").status_code == 422


class TestDependencies:
    def test_tasks_of_a_batch_wait_for_each_other(self, service: Service) -> None:
        items = [{"ref": "b", "after": ["a"]}, {"ref": "a"}]
        assert create(service, {"tasks": items}).get_json()["ids"] == [1, 2]
        assert service.view(1)["after"] == [2]
        assert service.claim().id == 2

    def test_wrong_references_are_named_by_their_paths(self, service: Service) -> None:
        wrong = [{"ref": "a", "after": ["a"]}, {"after": ["c"]}]
        assert sorted(errors(create(service, {"tasks": wrong})))[0].startswith("$.tasks.")
        assert list(errors(create(service, {"tasks": [{"after": [99]}]}))) == ["$.tasks.0.after"]

    def test_a_task_that_waits_for_the_end_of_its_own_batch_is_refused(self, service: Service) -> None:
        create(service, {"open": True, "then": {"type": "count", "args": {"n": 1}}})
        create(service, {"tasks": [{"type": "count", "args": {"n": 1}, "after": [1]}], "then": {"args": {}}})
        item = {"type": "count", "args": {"n": 1}}
        answer = add(service, [{**item, "after": [3, 1]}, item, {**item, "after": [2]}])
        assert errors(answer) == {
            "$.0.after": ["task 1 waits for the end of this batch", "task 3 waits for the end of this batch"],
            "$.2.after": ["task 2 waits for the end of this batch"],
        }
        assert batch(service)["total"] == 0
        assert add(service, [item]).status_code == 201
        assert add(service, [{**item, "after": [4]}]).status_code == 201


class TestChanging:
    def test_a_cancelled_batch_is_closed_and_has_finished(self, service: Service) -> None:
        create(service, {"open": True, "tasks": [{}] * 3})
        service.submit({})
        service.succeed("1")
        assert service.client.post("/batches/1/cancel").get_json() == {"count": 2, "next": None}
        assert batch(service)["counts"] == ZEROS | {"done": 1, "cancelled": 2}
        assert (batch(service)["open"], batch(service)["finished"]) == (False, NOW)
        assert service.view(4)["status"] == "waiting"

    def test_a_change_is_answered_though_its_batch_cannot_be_finished_now(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object) -> None:
            raise StorageUnavailable

        with monkeypatch.context() as patch:
            patch.setattr(type(service.storage.pending), "finished_batches", away)
            assert create(service, {}).status_code == 201
            assert create(service, {"open": True, "tasks": [{}]}).status_code == 201
            for change in ("close", "cancel", "retry", "cancel"):
                assert service.client.post(f"/batches/2/{change}").status_code == 200
        finish(service)
        assert (batch(service, 1)["finished"], batch(service, 2)["finished"]) == (NOW, NOW)

    @pytest.mark.parametrize("action", ["cancel", "retry"])
    def test_a_change_that_took_too_long_is_continued_behind_its_last_task(
        self, service: Service, monkeypatch: pytest.MonkeyPatch, action: str
    ) -> None:
        create(service, {"tasks": [{}] * 2})
        if action == "retry":
            service.client.post("/batches/1/cancel")
        monkeypatch.setattr(change_tasks, "BATCH_TASKS", 1)
        monkeypatch.setitem(ChangeTasksRequest.__init__.__kwdefaults__ or {}, "seconds", 0)
        first = service.client.post(f"/batches/1/{action}").get_json()
        assert (first["count"], service.view(1)["status"]) == (1, "cancelled" if action == "retry" else "waiting")
        service.client.post("/task/2/retry" if action == "cancel" else "/task/2/cancel")
        assert service.client.post(f"/batches/1/{action}?cursor={first['next']}").get_json()["count"] == 1
        ends = {1: "cancelled", 2: "waiting"} if action == "cancel" else {1: "waiting", 2: "cancelled"}
        assert {id: service.view(id)["status"] for id in ends} == ends
        assert service.client.post(f"/batches/1/{action}?cursor=x").status_code == 422

    @pytest.mark.parametrize("path", ["/batches/1/retry", "/tasks/retry?batch=1", "/task/1/retry"])
    def test_a_retried_batch_goes_on_and_finishes_again(self, service: Service, path: str) -> None:
        create(service, {"tasks": [{}]})
        service.client.post("/batches/1/cancel")
        service.clock.move(5)
        assert service.client.post(path).status_code == 200
        assert (batch(service)["finished"], batch(service)["progress"]["value"]) == (None, 0.0)
        service.succeed("1")
        finish(service)
        assert batch(service)["finished"] == NOW + 5


def test_every_answer_on_the_page_is_as_it_says() -> None:
    service = Service()
    service.publish("add")
    examples = list(EXAMPLE.finditer(PAGE))
    assert len(examples) == PAGE.count("```sh") > 5
    for example in examples:
        method, path, body = re.search(REQUEST, example["request"], re.DOTALL).groups()  # type: ignore[union-attr]
        answer = service.client.open(path, method=method or "GET", json=json.loads(body) if body else None)
        assert str(answer.status_code) == example["code"], (example["request"], answer.text)
        same_json(answer.text, example["answer"])
