"""POST /tasks: many tasks, all or none."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from entrypoints.http.requests.queries import TaskOptions
from entrypoints.http.routes.items import DEPENDENCY_MEMBERS, ITEM, MAX_BYTES, MAX_TASKS
from tests.unit.http_service import Service, configured

NUMBER = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}'


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("count", schema=NUMBER, priority=7)
    return service


def post(service: Service, body: Any) -> TestResponse:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return service.client.post("/tasks", data=text, content_type="application/json")


def errors(answer: TestResponse) -> dict[str, list[str]]:
    assert answer.status_code == 422, answer.text
    return dict(answer.get_json()["errors"]["json"])


def stored(service: Service) -> int:
    return len(service.store.state.rows)


def test_ids_are_in_the_order_of_the_items(service: Service) -> None:
    answer = post(service, [{"type": "count", "args": {"n": n}} for n in range(3)] + [{}, {"args": {"a": [1, {}]}}])
    assert (answer.status_code, answer.get_json()) == (201, {"ids": [1, 2, 3, 4, 5]})
    assert [service.view(id)["args"] for id in range(1, 6)] == [{"n": 0}, {"n": 1}, {"n": 2}, {}, {"a": [1, {}]}]
    assert [service.view(id)["type"] for id in (3, 4)] == ["count", "default"]


def test_an_item_has_the_options_of_a_task(service: Service) -> None:
    options = {"priority": -3, "max_attempts": 4, "ttl": 9, "delay": 60}
    post(service, [{"type": "count", "args": {"n": 1}} | options, {"run_at": 1893456000.5}])
    one, other = service.view(1), service.view(2)
    assert (one["priority"], one["max_attempts"]) == (-3, 4)
    assert one["expire"] - one["created"] == 69
    assert one["waiting_for"] == other["waiting_for"] == "run_at"
    assert other["run_at"] == 1893456000.5


def test_whole_numbers_may_have_a_decimal_point(service: Service) -> None:
    answer = post(service, '[{"priority": 3.0, "max_attempts": 2.0, "max_losses": 0.0, "ttl": 9e0, "delay": 60.0}]')
    view = service.view(*answer.get_json()["ids"])
    assert repr((view["priority"], view["max_attempts"])) == "(3, 2)"
    assert view["expire"] - view["created"] == 69


def test_an_item_has_the_same_options_as_a_query() -> None:
    own = {"type", "args", "labels", "idempotency_key", *DEPENDENCY_MEMBERS}
    assert set(ITEM["properties"]) == own | set(TaskOptions().fields)


def test_an_empty_array_creates_no_task(service: Service) -> None:
    assert (post(service, []).status_code, post(service, " [ ] ").get_json()) == (201, {"ids": []})


def test_every_invalid_item_is_named_by_index_and_nothing_is_stored(service: Service) -> None:
    wrong = errors(
        post(
            service,
            """[
                {"type": "count", "args": {"n": 1}},
                {"type": "count", "args": {"n": "1"}},
                {"type": "sub"},
                7,
                {"args": [], "priority": 101, "Priority": 1},
                {"args": {"a": {"b": NaN}}},
                {"priority": "5", "delay": null},
                {"idempotency_key": "é"},
                {"delay": 1, "run_at": 2},
                {"type": ""}
            ]""",
        )
    )
    assert set(wrong) == {
        "$.1.args.n",
        "$.2.type",
        "$.3",
        "$.4.args",
        "$.4.priority",
        "$.4.Priority",
        "$.5.args.a.b",
        "$.6.priority",
        "$.6.delay",
        "$.7.idempotency_key",
        "$.8.run_at",
        "$.9.type",
    }
    assert wrong["$.2.type"] == ["sub is not published"]
    assert stored(service) == 0


def test_an_item_with_a_known_key_gets_the_id_of_its_task(service: Service) -> None:
    item = {"args": {"a": 1}, "idempotency_key": "k"}
    assert post(service, [item, {}, item]).get_json() == {"ids": [1, 2, 1]}
    again = service.client.post("/task/new", json={"a": 1}, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.get_json()["id"]) == (200, 1)
    assert errors(post(service, [{}, item | {"args": {}}])) == {
        "$.1.idempotency_key": ["the idempotency key belongs to a task with another type or other arguments: 1"]
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", 400),
        ("[", 400),
        ("[{}", 400),
        ("[{},]", 400),
        ("nonsense", 400),
        ("7", 422),
        (" 7 ", 422),
        ("null", 422),
        ('"x"', 422),
        ('"["', 422),
        ("true", 422),
        ("nul", 400),
        ("7 8", 400),
        ("NaN", 422),
        ('{"args": {}}', 422),
        (b"[\xff]", 400),
        ("[" + "[" * 100_000, 422),
    ],
)
def test_a_body_that_is_not_an_array_is_refused(service: Service, body: Any, code: int) -> None:
    assert post(service, body).status_code == code
    assert stored(service) == 0


def test_ten_thousand_items_are_accepted_and_one_more_is_422(service: Service) -> None:
    assert post(service, [{}] * (MAX_TASKS + 1)).status_code == 422
    assert stored(service) == 0
    assert len(post(service, [{}] * MAX_TASKS).get_json()["ids"]) == MAX_TASKS


def test_every_item_of_a_long_array_is_checked(service: Service) -> None:
    assert set(errors(post(service, [{}] * 5000 + [7] + [{}] * 4000 + [{"type": "sub"}]))) == {"$.5000", "$.9001.type"}
    assert stored(service) == 0


def test_a_body_of_more_than_32_mib_is_413(service: Service) -> None:
    assert post(service, b"[" + b" " * MAX_BYTES + b"]").status_code == 413


def test_an_item_may_be_as_long_as_a_single_task_and_not_much_longer() -> None:
    service = configured(max_body=2000)
    assert post(service, [{"args": {"a": "x" * 1900}}] * 30).status_code == 201
    assert list(errors(post(service, [{}, {"args": {"a": "x" * 5000}}, {}]))) == ["$.1"]


def test_another_content_type_is_415(service: Service) -> None:
    assert service.client.post("/tasks", data="[]", content_type="text/plain").status_code == 415


def test_options_in_the_query_are_refused(service: Service) -> None:
    answer = service.client.post("/tasks?priority=1", json=[{}])
    assert (answer.status_code, answer.get_json()["errors"]) == (422, {"query": {"priority": ["Unknown parameter."]}})
