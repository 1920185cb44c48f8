"""Callbacks over HTTP: as an option of a submission, and in the view of a task."""

from typing import Any

import pytest

from domain.ids import TaskId
from entrypoints.task_json import CALLBACK, FIELDS
from tests import steps
from tests.unit.http_service import Service, configured

URL = "https://example.org/told?by=us&x=%22"
NEW = {"url": URL, "state": "waiting", "attempts": 0, "next": None, "error": None}


@pytest.fixture
def service() -> Service:
    return configured(webhook_secret=(b"s" * 24,))


def submitted(service: Service, args: dict[str, Any] | None = None, **query: Any) -> dict[str, Any]:
    answer = service.client.post("/task/new", json=args or {}, query_string=query)
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def refused(service: Service, **query: Any) -> dict[str, Any]:
    """Submit with an invalid query, and return its errors."""
    answer = service.client.post("/task/new", json={}, query_string=query)
    assert answer.status_code == 422
    return answer.get_json()["errors"]["query"]


def test_a_task_with_a_callback_shows_its_state(service: Service) -> None:
    task = submitted(service, callback=URL)
    assert task[CALLBACK] == service.view()[CALLBACK] == NEW
    assert list(task) == [*FIELDS, CALLBACK]


def test_a_callback_is_pending_once_its_task_has_finished_with_the_time_of_its_next_try(service: Service) -> None:
    submitted(service, callback=URL)
    service.succeed("1")
    now = service.clock.now().timestamp()
    assert service.view()[CALLBACK] == NEW | {"state": "pending", "next": now}


def test_a_callback_shows_its_attempts_and_its_last_error(service: Service) -> None:
    submitted(service, callback=URL)
    service.succeed("1")
    now = service.clock.now()
    with service.store.begin() as work:
        (claimed,) = work.deliveries.claim(now, now, 1)
        work.deliveries.settle(claimed.given_up('it said "no"'))
        work.commit()
    assert service.view()[CALLBACK] == NEW | {"state": "given_up", "attempts": 1, "error": 'it said "no"'}


def test_cancel_and_retry_answer_with_the_new_state_of_the_callback(service: Service) -> None:
    submitted(service, callback=URL)
    assert service.client.post("/task/1/cancel").get_json()[CALLBACK]["state"] == "pending"
    assert service.client.post("/task/1/retry").get_json()[CALLBACK] == NEW


def test_a_task_without_a_callback_has_no_callback_field_unless_an_argument_has_its_name(service: Service) -> None:
    assert list(submitted(service)) == list(FIELDS)
    assert submitted(service, {"callback": [5]})["callback"] == [5]


def test_the_callback_field_wins_over_an_argument_of_its_name(service: Service) -> None:
    task = submitted(service, {"callback": 5, "mine": 1}, callback=URL)
    assert (task["args"], task["mine"], task[CALLBACK]) == ({"callback": 5, "mine": 1}, 1, NEW)
    assert service.client.get("/task/1").text.count('"callback":') == 2


def test_lists_leave_callbacks_out(service: Service) -> None:
    submitted(service, callback=URL)
    (task,) = service.client.get("/tasks").get_json()["tasks"]
    assert CALLBACK not in task


@pytest.mark.parametrize(
    "address", ["", "example.org", "ftp://a", "https://me@a", "https://a/\0", "http://a/" + "x" * 2_000]
)
def test_an_invalid_callback_address_is_refused(service: Service, address: str) -> None:
    assert CALLBACK in refused(service, callback=address)
    assert service.client.get("/task/1").status_code == 404


def test_a_repeated_callback_parameter_is_refused(service: Service) -> None:
    assert refused(service, callback=[URL, URL]) == {CALLBACK: ["Must be given only once."]}


def test_each_of_many_tasks_may_have_its_own_callback(service: Service) -> None:
    items = [{"callback": URL}, {}, {"callback": "http://b"}]
    assert service.client.post("/tasks", json=items).status_code == 201
    assert [service.view(id).get(CALLBACK, {}).get("url") for id in (1, 2, 3)] == [URL, None, "http://b"]


@pytest.mark.parametrize("address", ["", "ftp://a", 5, None, ["http://a"]])
def test_an_invalid_callback_of_one_of_many_tasks_is_named_by_index(service: Service, address: Any) -> None:
    answer = service.client.post("/tasks", json=[{}, {"callback": address}])
    assert answer.status_code == 422
    assert "1" in str(answer.get_json()["errors"])


class TestTypes:
    def test_tasks_have_the_callback_of_their_type_unless_they_have_their_own(self, service: Service) -> None:
        service.publish("default", callback=URL)
        assert submitted(service)[CALLBACK]["url"] == URL
        assert submitted(service, callback="http://b")[CALLBACK]["url"] == "http://b"
        (default,) = service.client.get("/types").get_json()["types"]
        assert default["defaults"][CALLBACK] == URL


class TestWithoutASecret:
    def test_a_request_with_a_callback_is_refused_and_names_the_missing_secret(self) -> None:
        message = "Must be absent, since the service has no WEBHOOK_SECRET."
        assert refused(Service(), callback=URL) == {CALLBACK: [message]}

    def test_a_callback_of_one_of_many_tasks_is_refused_by_its_index(self) -> None:
        answer = Service().client.post("/tasks", json=[{}, {"callback": URL}])
        sentence = "it must be absent, since the service has no WEBHOOK_SECRET"
        assert (answer.status_code, answer.get_json()["errors"]) == (422, {"json": {"$.1.callback": [sentence]}})

    def test_tasks_of_a_type_with_a_callback_are_created_and_their_callbacks_wait(self) -> None:
        service = Service()
        service.publish("default", callback=URL)
        assert submitted(service)[CALLBACK] == NEW
        service.succeed("1")
        assert service.view()[CALLBACK]["state"] == "pending"
        assert steps.stored(service.storage, TaskId(1)).delivery
