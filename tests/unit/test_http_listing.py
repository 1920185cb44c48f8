"""Many tasks over HTTP: search, count, cancel and retry."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from entrypoints.http.requests.filters import DEFAULT_PAGE_TASKS, FilterQuery
from tests import steps
from tests.conftest import ROOT
from tests.unit.http_service import Service

NOW = 1767268800  # 2026-01-01 12:00 UTC, the time of the manual clock


@pytest.fixture
def service() -> Service:
    return Service()


def listed(service: Service, query: str) -> list[int]:
    answer = service.client.get(f"/tasks?{query}")
    assert answer.status_code == 200, answer.text
    return [task["id"] for task in answer.get_json()["tasks"]]


class TestSearching:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("args.n=5", [2, 1]),
            ("args.n=05", []),
            ("args.n=", [4]),
            ("args.flag=true", [3]),
            ("args.flag=True", []),
            ("args.none=null", [3]),
            ("args.x=1.5", [3]),
            ("args.to.city=K%C3%B6ln", [3, 1]),
            ("args.to.city=K%C3%B6ln&args.n=5", [1]),
            ("args.to.city=K%C3%B6ln&args.n=6", []),
            ("args.to=K%C3%B6ln", []),
            ("args.list=1", []),
            ("args.a%20b=c%26d%3D%00", [4]),
            ("args.n=5&status=waiting&type=default", [2, 1]),
            ("args.n=5&status=done", []),
            ("args.*=5", []),
        ],
    )
    def test_tasks_are_found_by_their_arguments(self, service: Service, query: str, found: list[int]) -> None:
        service.submit({"n": 5, "to": {"city": "Köln"}})
        service.submit({"n": "5"})
        service.submit({"flag": True, "none": None, "x": 1.5, "to": {"city": "Köln"}, "list": [1]})
        service.submit({"n": "", "a b": "c&d=\0"})
        assert listed(service, query) == found

    def test_created_after_is_inclusive_and_created_before_exclusive(self, service: Service) -> None:
        for _ in range(3):
            service.submit({})
            service.clock.move(10)
        assert listed(service, f"created_after={NOW + 10}") == [3, 2]
        assert listed(service, f"created_before={NOW + 10}") == [1]
        assert listed(service, f"created_after={NOW + 0.5}&created_before={NOW + 20}") == [2]
        assert listed(service, "created_after=0&created_before=0") == []

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("status=failed,cancelled", [3, 2]),
            ("status=failed", [2]),
            ("ids=1,3,99", [3, 1]),
            ("ids=1,3&status=cancelled", [3]),
            ("error_type=valueerror", [2]),
            ("error_type=Value", []),
            ("error=ValueError%3A%20BOOM", [2]),
            ("error=boom&status=cancelled", []),
            (f"finished_after={NOW + 10}", [3]),
            (f"finished_before={NOW + 10}", [2]),
        ],
    )
    def test_tasks_are_found_by_status_end_and_error(self, service: Service, query: str, found: list[int]) -> None:
        for _ in range(3):
            service.submit({})
        service.claim()
        service.fail()
        service.clock.move(10)
        service.client.post("/task/3/cancel")
        assert listed(service, query) == found

    def test_an_address_may_name_ten_thousand_ids(self, service: Service) -> None:
        for _ in range(3):
            service.submit({})
        ids = ",".join(map(str, range(2, 10_002)))
        assert listed(service, f"ids={ids}") == [3, 2]

    def test_pages_of_a_search_continue_while_tasks_are_added(self, service: Service) -> None:
        for n in range(6):
            service.submit({"even": n % 2 == 0})
        first = service.client.get("/tasks?args.even=true&limit=2").get_json()
        service.submit({"even": True})
        last = service.client.get(f"/tasks?args.even=true&limit=2&cursor={first['next']}").get_json()
        assert [[task["id"] for task in page["tasks"]] for page in (first, last)] == [[5, 3], [1]]
        assert last["next"] is None

    @pytest.mark.parametrize(
        ("query", "wrong"),
        [
            ("args.=1", "args."),
            ("args=1", "args"),
            ("arg.n=1", "arg.n"),
            ("args.n=1&args.n=2", "args.n"),
            ("created_after=-1", "created_after"),
            ("created_before=soon", "created_before"),
            ("created_before=1e300", "created_before"),
            ("status=failed,", "status"),
            ("status=failed&status=cancelled", "status"),
            ("ids=5,,7", "ids"),
            (f"ids=1{',2' * 10_000}", "ids"),
            ("error_group=5", "error_group"),
        ],
    )
    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/tasks"), ("POST", "/tasks/cancel"), ("POST", "/tasks/retry"), ("POST", "/tasks/delete")],
    )
    def test_an_invalid_filter_is_refused_by_name(
        self, service: Service, method: str, path: str, query: str, wrong: str
    ) -> None:
        service.submit({"n": 1})
        answer = service.client.open(f"{path}?{query}", method=method)
        assert answer.status_code == 422
        assert list(answer.get_json()["errors"]["query"]) == [wrong]
        assert service.view()["status"] == "waiting"


class TestPage:
    """The page docs/listing.md."""

    TEXT = (ROOT / "docs/listing.md").read_text()

    def test_every_request_on_the_page_is_answered(self, service: Service) -> None:
        requests = re.findall(r"^curl (?:-X (POST) )?'?localhost:5000(/[^\s']*)", self.TEXT, re.MULTILINE)
        answers = [
            service.client.open(path, method=method or "GET", json={} if path.startswith("/task/") else None)
            for method, path in requests
        ]
        assert len(answers) == 16
        assert {answer.status_code for answer in answers} <= {200, 201}

    def test_the_page_names_every_filter(self) -> None:
        named = set(re.findall(r"^\| `([a-z_]+)", self.TEXT, re.MULTILINE))
        assert named == set(FilterQuery().fields) - {"cursor"}


class TestCounting:
    def test_counts_are_empty_without_tasks(self, service: Service) -> None:
        assert service.client.get("/tasks/counts").get_json() == {"counts": {}}

    def test_tasks_are_counted_by_type_and_status(self, service: Service) -> None:
        service.publish("größe")
        for _ in range(3):
            service.submit({})
        service.submit({}, "/task/new/größe")
        service.succeed("1")
        service.claim()
        assert service.client.get("/tasks/counts").get_json() == {
            "counts": {"default": {"done": 1, "running": 1, "waiting": 1}, "größe": {"waiting": 1}}
        }


class TestChanging:
    def test_matching_tasks_are_cancelled_and_counted(self, service: Service) -> None:
        for n in (1, 2, 1):
            service.submit({"n": n})
        service.claim()
        answer = service.client.post("/tasks/cancel?args.n=1")
        assert (answer.status_code, answer.get_json()) == (200, {"count": 2, "next": None})
        assert listed(service, "status=cancelled") == [3, 1]
        assert service.client.post("/tasks/cancel?args.n=1").get_json() == {"count": 0, "next": None}

    def test_matching_tasks_are_retried_and_counted(self, service: Service) -> None:
        for _ in range(3):
            service.submit({})
        service.fail()
        service.client.post("/task/2/cancel")
        assert service.client.post("/tasks/retry?status=failed").get_json() == {"count": 1, "next": None}
        assert listed(service, "status=waiting") == [3, 1]
        assert service.client.post("/tasks/retry").get_json() == {"count": 1, "next": None}

    def test_matching_tasks_are_deleted_and_counted(self, service: Service) -> None:
        for n in (1, 2, 1, 1):
            service.submit({"n": n})
        service.claim()
        answer = service.client.post("/tasks/delete?args.n=1")
        assert (answer.status_code, answer.get_json()) == (200, {"count": 2, "next": None})
        assert listed(service, "") == [2, 1]

    def test_cancel_without_a_query_cancels_all_tasks(self, service: Service) -> None:
        steps.add(service.storage, *[steps.submission()] * (2 * DEFAULT_PAGE_TASKS))
        assert service.client.post("/tasks/cancel").get_json() == {"count": 2 * DEFAULT_PAGE_TASKS, "next": None}

    def test_a_limit_leaves_a_cursor_to_go_on_with(self, service: Service) -> None:
        for _ in range(3):
            service.submit({})
        first = service.client.post("/tasks/cancel?limit=2").get_json()
        assert first == {"count": 2, "next": "2"}
        last = service.client.post(f"/tasks/cancel?limit=2&cursor={first['next']}").get_json()
        assert last == {"count": 1, "next": None}

    @pytest.mark.parametrize(
        ("path", "status", "sentence"),
        [
            ("/tasks/cancel", "done", "Must be running or waiting."),
            ("/tasks/cancel", "asleep", "Must be running or waiting."),
            ("/tasks/retry", "running", "Must be cancelled or failed."),
            ("/tasks/retry", "failed,running", "Must be cancelled or failed."),
            ("/tasks/delete", "running", "Must be cancelled or done or failed or waiting."),
        ],
    )
    def test_a_status_that_cannot_be_changed_is_refused_with_a_sentence(
        self, service: Service, path: str, status: str, sentence: str
    ) -> None:
        answer = service.client.post(f"{path}?status={status}")
        assert (answer.status_code, answer.get_json()["errors"]) == (422, {"query": {"status": [sentence]}})

    @pytest.mark.parametrize("query", ["limit=0", "limit=1000001", "cursor=x", "state=done"])
    def test_a_parameter_out_of_bounds_is_refused(self, service: Service, query: str) -> None:
        assert service.client.post(f"/tasks/cancel?{query}").status_code == 422

    @pytest.mark.parametrize("path", ["/tasks/cancel", "/tasks/retry", "/tasks/delete"])
    def test_an_unavailable_storage_is_503_with_retry_after(self, service: Service, path: str) -> None:
        service.publish("add")
        service.away = True
        answer = service.client.post(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")

    def test_a_second_change_at_the_same_time_is_503_with_retry_after(self) -> None:
        answers: list[TestResponse] = []
        service = Meanwhile()
        # The API has read that it is open: requests of one thread would wait for each other to do so.
        service.client.get("/tasks")
        service.meanwhile = lambda: answers.append(service.app_client().post("/tasks/cancel"))
        assert service.client.post("/tasks/cancel").status_code == 200
        assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(503, "1")]


class Meanwhile(Service):
    """A service that calls `meanwhile` once, at the start of its next unit of work."""

    meanwhile: Callable[[], None] | None = None

    def begin(self) -> Any:
        do, self.meanwhile = self.meanwhile, None
        if do:
            do()
        return super().begin()

    def app_client(self) -> FlaskClient:
        """Make another client of the same app."""
        return self.client.application.test_client()
