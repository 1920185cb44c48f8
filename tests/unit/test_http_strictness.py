"""Nothing in a request is ignored in silence: what an operation does not declare is refused."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.unit.http_service import Service
from tests.unit.test_http_errors import check_form

OPERATIONS = [
    (method, path, {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"})
    for path, item in Service().document()["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
]
"""Method, path and query parameters of every operation in the OpenAPI document."""


@contextmanager
def service_with_a_task(has_own_app: bool = False) -> Iterator[Service]:
    service = Service(has_own_app=has_own_app)
    service.publish("default")
    service.submit({"n": 1})
    service.client.post("/batches", json={"open": True})
    yield service
    service.change_feed.close()


@pytest.fixture
def service() -> Iterator[Service]:
    with service_with_a_task() as service:
        yield service


@pytest.fixture(scope="module")
def unchanged() -> Iterator[Service]:
    """A service that is shared by the tests whose requests change nothing."""
    with service_with_a_task(has_own_app=True) as service:
        yield service


def send(service: Service, method: str, path: str, query: str) -> TestResponse:
    real = path.replace("{id}", "1").replace("{type}", "default")
    body: Any = None if method in ("get", "delete") else [{}] if path.endswith("/tasks") else {}
    if path == "/keys" and method == "post":
        body = {"name": "a front end", "scopes": ["read"]}
    return service.client.open(f"{real}?{query}", method=method, json=body)


class TestQueries:
    @pytest.mark.parametrize(("method", "path", "declared"), OPERATIONS)
    @pytest.mark.parametrize(
        "query",
        ["nonsense=1", "nonsense", "=1", "delay=3600", "Wait=1", "wait%20=1", "statu=done", "args=1", "args[n]=1"],
    )
    def test_a_parameter_that_the_operation_does_not_have_is_422(
        self, unchanged: Service, method: str, path: str, declared: set[str], query: str
    ) -> None:
        name = query.partition("=")[0].replace("%20", " ")
        if name not in declared:
            error = check_form(send(unchanged, method, path, query), 422)
            assert error["errors"] == {"query": {name: ["Unknown parameter."]}}
            assert [task["status"] for task in unchanged.client.get("/tasks").get_json()["tasks"]] == ["waiting"]

    @pytest.mark.parametrize(("method", "path", "declared"), OPERATIONS)
    def test_every_operation_describes_422(
        self, unchanged: Service, method: str, path: str, declared: set[str]
    ) -> None:
        operation = unchanged.document()["paths"][path][method]
        assert operation["responses"]["422"]["description"]

    @pytest.mark.parametrize(("method", "path", "declared"), OPERATIONS)
    @pytest.mark.parametrize("query", ["", "&&"])
    def test_an_empty_query_is_no_parameter(
        self, service: Service, method: str, path: str, declared: set[str], query: str
    ) -> None:
        # No key has the id.
        expected = (404,) if path == "/keys/{id}" else (200, 201, 202, 204, 409)
        assert send(service, method, path, query).status_code in expected

    @pytest.mark.parametrize("cursor", ["5%0a", "5%0d", "%0a5", "5%00", "5%20", "+5", "%D9%A5", "05", "0", "", "-5"])
    def test_a_cursor_with_anything_but_its_digits_is_422(self, unchanged: Service, cursor: str) -> None:
        for method, path in (("get", "/tasks"), ("post", "/tasks/cancel"), ("post", "/tasks/retry")):
            error = check_form(send(unchanged, method, path, f"cursor={cursor}"), 422)
            assert list(error["errors"]["query"]) == ["cursor"]

    @pytest.mark.parametrize("name", ["limit", "created_after", "created_before", "status"])
    @pytest.mark.parametrize("end", ["%0a", "%20", "%00"])
    def test_a_value_with_a_line_break_at_its_end_is_422(self, unchanged: Service, name: str, end: str) -> None:
        value = "failed" if name == "status" else "5"
        check_form(send(unchanged, "get", "/tasks", f"{name}={value}{end}"), 422)

    @pytest.mark.parametrize("name", ["args.*[a]", "args.*[a][b]", "args.*[]", "args.*[", "args."])
    def test_a_filter_that_names_no_argument_is_422(self, unchanged: Service, name: str) -> None:
        for method, path in (("get", "/tasks"), ("post", "/tasks/cancel"), ("post", "/tasks/retry")):
            error = check_form(send(unchanged, method, path, f"{name}=1"), 422)
            assert error["errors"]["query"] == {name: ["Must have a name, as in args.n."]}


class TestKeys:
    @pytest.mark.parametrize("path", ["/task/new", "/tasks"])
    @pytest.mark.parametrize("key", ["a,b", "a, b", "a,", ",", "a,a"])
    def test_two_keys_are_422(self, unchanged: Service, path: str, key: str) -> None:
        """A server and a proxy may join headers of one name, with a comma in between."""
        body: Any = [{}] if path == "/tasks" else {}
        answer = unchanged.client.post(path, json=body, headers={"Idempotency-Key": key})
        error = check_form(answer, 422)
        assert "only once" in error["errors"]["headers"]["Idempotency-Key"][0]
        assert unchanged.client.get("/task/2").status_code == 404

    def test_an_item_may_have_a_key_with_a_comma(self, service: Service) -> None:
        for _ in range(2):
            assert service.client.post("/tasks", json=[{"idempotency_key": "a,b"}]).get_json() == {"ids": [2]}


class TestKeyOfABatch:
    BATCH = ({"args": {"n": 1}}, {"args": {"n": 2}, "idempotency_key": "own"}, {"args": {"n": 1}})

    def post(self, service: Service, *items: Any, key: str = "k") -> TestResponse:
        return service.client.post("/tasks", json=items, headers={"Idempotency-Key": key})

    def test_a_repeated_batch_is_200_with_the_same_ids(self, service: Service) -> None:
        first, again = self.post(service, *self.BATCH), self.post(service, *self.BATCH)
        assert (first.status_code, first.get_json()) == (201, {"ids": [2, 3, 4]})
        assert (again.status_code, again.get_json()) == (200, {"ids": [2, 3, 4]})

    def test_a_repeated_batch_may_have_other_options_and_another_order_of_members(self, service: Service) -> None:
        self.post(service, {"args": {"a": 1, "b": 2}})
        assert self.post(service, {"priority": 5, "args": {"b": 2, "a": 1}}).get_json() == {"ids": [2]}

    def test_another_batch_with_the_key_is_422(self, service: Service) -> None:
        self.post(service, *self.BATCH)
        others: Sequence[Sequence[Any]] = (
            self.BATCH[:1],
            (*self.BATCH, {}),
            (*self.BATCH[::-1], {}),
            ({"args": {"n": 9}},),
            ({},),
        )
        for other in others:
            error = check_form(self.post(service, *other), 422)
            assert error["message"] == "the idempotency key belongs to another batch of tasks"
            assert error["errors"] == {"headers": {"Idempotency-Key": ["Task 2 of a batch has it."]}}
        assert len(service.store.state.rows) == 4

    def test_the_key_of_a_batch_is_no_key_of_a_task(self, service: Service) -> None:
        self.post(service, {})
        assert service.client.post("/task/new", json={"x": 1}, headers={"Idempotency-Key": "k"}).status_code == 201
        assert self.post(service, {}, key="other").get_json() == {"ids": [4]}

    def test_an_invalid_key_of_a_batch_is_422_and_stores_nothing(self, service: Service) -> None:
        for key in ("", "x" * 256, "\u00e9"):
            check_form(self.post(service, {}, key=key), 422)
        assert len(service.store.state.rows) == 1

    def test_an_invalid_batch_does_not_take_its_key(self, service: Service) -> None:
        check_form(self.post(service, {}, {"priority": 101}), 422)
        assert self.post(service, {}).status_code == 201

    def test_an_empty_batch_has_no_task_to_keep_its_key(self, service: Service) -> None:
        assert self.post(service).status_code == 201
        assert self.post(service, {}).status_code == 201


def test_a_key_that_is_twice_in_a_batch_with_other_arguments_names_the_item_and_no_task(service: Service) -> None:
    items = [{"idempotency_key": "k", "args": {"a": n}} for n in (1, 2, 1)]
    error = check_form(service.client.post("/tasks", json=items), 422)
    reason = "item 0 has this key and another type or other arguments"
    assert error["errors"] == {"json": {"$.1.idempotency_key": [reason]}}
    assert len(service.store.state.rows) == 1


@pytest.mark.parametrize("body", ["5", "null", '"x"', "true", "-1.5e3", '"["'])
def test_a_batch_that_is_no_array_is_422_and_the_answer_says_what_is_expected(unchanged: Service, body: str) -> None:
    answer = unchanged.client.post("/tasks", data=body, content_type="application/json")
    assert check_form(answer, 422)["message"] == "the body must be a JSON array of objects"
