"""Labels over HTTP: given at submission, shown in every answer, and filters of all that takes many tasks."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from entrypoints.http.requests.queries import LABEL_PREFIX
from tests.unit.http_service import Service

ANA = {"user": "ana", "run": "7"}
ARGUMENTS = {"content_type": "application/json", "data": "{}"}


@pytest.fixture
def service() -> Service:
    return Service()


def submit(service: Service, query: str, args: Any = None) -> TestResponse:
    return service.client.post(f"/task/new?{query}", json=args or {})


def ids(service: Service, query: str) -> list[int]:
    return [task["id"] for task in service.client.get(f"/tasks?{query}").get_json()["tasks"]]


def query_errors(answer: TestResponse) -> dict[str, list[str]]:
    assert answer.status_code == 422, answer.text
    return dict(answer.get_json()["errors"]["query"])


class TestSubmitting:
    def test_labels_of_the_query_stand_in_view_and_list(self, service: Service) -> None:
        assert submit(service, "label.user=ana&label.run=7").get_json()["labels"] == ANA
        assert service.view(1)["labels"] == ANA
        assert service.client.get("/tasks").get_json()["tasks"][0]["labels"] == ANA

    def test_labels_of_items_stand_in_their_views(self, service: Service) -> None:
        answer = service.client.post("/tasks", json=[{"labels": ANA}, {}])
        assert answer.get_json() == {"ids": [1, 2]}
        assert service.view(1)["labels"] == ANA
        assert "labels" not in service.view(2)

    def test_labels_are_no_arguments(self, service: Service) -> None:
        task = submit(service, "label.user=ana", {"user": "bob", "labels": 5}).get_json()
        assert (task["args"], task["user"], task["labels"]) == ({"user": "bob", "labels": 5}, "bob", {"user": "ana"})
        assert ids(service, "args.user=ana") == []

    def test_an_argument_named_labels_is_shown_while_there_are_none(self, service: Service) -> None:
        assert submit(service, "", {"labels": 5}).get_json()["labels"] == 5

    def test_a_value_has_any_characters(self, service: Service) -> None:
        task = submit(service, "label.a.b-c_d=%00%22%5C%20%F0%9F%98%80%E2%80%A8").get_json()
        assert task["labels"] == {"a.b-c_d": '\0"\\ 😀\u2028'}
        assert ids(service, "label.a.b-c_d=%00%22%5C%20%F0%9F%98%80%E2%80%A8") == [1]

    def test_a_key_stands_for_the_same_request_whatever_the_labels_are(self, service: Service) -> None:
        for query, code in (("label.user=ana", 201), ("label.user=bob", 200)):
            answer = service.client.post(f"/task/new?{query}", json={}, headers={"Idempotency-Key": "k"})
            assert (answer.status_code, answer.get_json()["labels"]) == (code, {"user": "ana"})


class TestWrongLabels:
    @pytest.mark.parametrize("name", ["-a", ".a", "é", "a b", "a" * 64, "a/b", "a\n"])
    def test_a_wrong_name_is_refused_by_its_parameter(self, service: Service, name: str) -> None:
        answer = service.client.post("/task/new", query_string={LABEL_PREFIX + name: "x"}, json={})
        assert query_errors(answer)[LABEL_PREFIX + name][0].startswith("Must be named by up to 63 letters")

    def test_a_label_without_a_name_is_refused(self, service: Service) -> None:
        assert query_errors(submit(service, "label.=x")) == {"label.": ["Must have a name, as in label.user."]}

    def test_a_long_value_is_refused(self, service: Service) -> None:
        sentence = "Must be a text of at most 200 characters."
        assert query_errors(submit(service, f"label.a={'x' * 201}")) == {"label.a": [sentence]}
        assert submit(service, f"label.a={'é' * 200}").status_code == 201

    def test_an_eleventh_label_is_refused(self, service: Service) -> None:
        eleven = "&".join(f"label.n{n}=x" for n in range(11))
        assert query_errors(submit(service, eleven)) == {"labels": ["Must be at most 10 labels."]}
        assert submit(service, eleven.rpartition("&")[0]).status_code == 201

    def test_wrong_labels_of_items_are_named_by_their_paths(self, service: Service) -> None:
        wrong = [{"labels": {"a b": "x"}}, {"labels": {"a": 5}}, {"labels": []}, {"labels": {"a": "x" * 201}}]
        answer = service.client.post("/tasks", json=wrong)
        assert answer.status_code == 422
        assert sorted(answer.get_json()["errors"]["json"]) == [
            "$.0.labels.a b",
            "$.1.labels.a",
            "$.2.labels",
            "$.3.labels.a",
        ]

    def test_a_label_given_twice_is_refused(self, service: Service) -> None:
        assert "label.a" in query_errors(submit(service, "label.a=x&label.a=y"))


class TestFiltering:
    @pytest.fixture(autouse=True)
    def submitted(self, service: Service) -> None:
        for query in ("label.user=ana&label.run=7", "label.user=ana", "label.user=bob&label.run=7", ""):
            submit(service, query, {"user": "ana"})

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("label.user=ana", [2, 1]),
            ("label.user=ana&label.run=7", [1]),
            ("label.run=7", [3, 1]),
            ("label.run=8", []),
            ("label.user=ana&args.user=ana&status=waiting", [2, 1]),
            ("label.user=ana&args.user=bob", []),
            ("args.label.user=ana", []),
        ],
    )
    def test_tasks_are_listed_by_all_their_labels(self, service: Service, query: str, found: list[int]) -> None:
        assert ids(service, query) == found

    def test_tasks_are_cancelled_retried_and_deleted_by_label(self, service: Service) -> None:
        for verb in ("cancel", "retry", "cancel", "delete"):
            assert service.client.post(f"/tasks/{verb}?label.user=ana").get_json()["count"] == 2
        assert ids(service, "") == [4, 3]

    def test_tasks_are_counted_by_label(self, service: Service) -> None:
        service.client.post("/task/2/cancel")
        answer = service.client.get("/tasks/counts?label.user=ana")
        assert answer.get_json() == {"counts": {"default": {"waiting": 1, "cancelled": 1}}, "complete": True}
        assert service.client.get("/tasks/counts?label.user=zoe").get_json() == {"counts": {}, "complete": True}


def test_the_events_of_a_task_have_its_labels(service: Service) -> None:
    submit(service, "label.user=ana")
    service.client.post("/task/1/cancel")
    data = service.client.get("/task/1/events").text.partition("data: ")[2].partition("\n")[0]
    assert json.loads(data)["labels"] == {"user": "ana"}
