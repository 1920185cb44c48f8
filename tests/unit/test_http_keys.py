"""Idempotency-Key: a request that is sent again is answered with the task that the first one made."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.unit.http_service import Service

KEY = "2f1c-order 7"


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("add")
    return service


def post(service: Service, args: Any, key: str = KEY, path: str = "/task/new") -> TestResponse:
    return service.client.post(path, json=args, headers={"Idempotency-Key": key})


def test_a_first_request_is_201_and_a_repeated_one_200_with_the_same_task(service: Service) -> None:
    first, again = post(service, {"a": 1, "b": 2}), post(service, {"b": 2, "a": 1.0}, path="/task/new?priority=9")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    assert first.headers["Location"] == again.headers["Location"] == "/task/1/view"


@pytest.mark.parametrize(("path", "args"), [("/task/new", {"a": 2}), ("/task/new/add", {"a": 1})])
def test_a_key_of_a_different_task_is_422_and_names_that_task(service: Service, path: str, args: Any) -> None:
    post(service, {"a": 1})
    answer = post(service, args, path=path)
    assert answer.status_code == 422
    assert answer.get_json() == {
        "code": 422,
        "status": "Unprocessable Entity",
        "message": "the idempotency key belongs to a task with another type or other arguments",
        "errors": {"headers": {"Idempotency-Key": ["It belongs to task 1."]}},
    }


@pytest.mark.parametrize("key", ["", "x" * 256, "\u00e9", "a\tb"])
def test_an_invalid_key_is_422_and_stores_nothing(service: Service, key: str) -> None:
    answer = post(service, {}, key)
    assert answer.status_code == 422
    assert "1 to 255 printable ASCII characters" in answer.get_json()["errors"]["headers"]["Idempotency-Key"][0]
    assert service.client.get("/tasks").get_json()["tasks"] == []


def test_requests_without_a_key_each_make_a_task(service: Service) -> None:
    assert [service.submit({"a": 1})["id"] for _ in range(2)] == [1, 2]


def test_a_deleted_task_frees_its_key(service: Service) -> None:
    post(service, {"a": 1})
    service.client.delete("/task/1")
    assert (post(service, {"a": 2}).status_code, post(service, {"a": 2}).status_code) == (201, 200)
