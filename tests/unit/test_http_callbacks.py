"""Callbacks, as people ask for them and see them."""

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


def asked(service: Service, args: dict[str, Any] | None = None, **query: Any) -> dict[str, Any]:
    answer = service.client.post("/task/new", json=args or {}, query_string=query)
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def refused(service: Service, **query: Any) -> dict[str, Any]:
    """What is wrong with the query."""
    answer = service.client.post("/task/new", json={}, query_string=query)
    assert answer.status_code == 422
    return answer.get_json()["errors"]["query"]


def test_a_task_that_was_asked_for_with_one_shows_how_it_stands(service: Service) -> None:
    task = asked(service, callback=URL)
    assert task[CALLBACK] == service.view()[CALLBACK] == NEW
    assert list(task) == [*FIELDS, CALLBACK]


def test_it_is_pending_from_the_finish_on_and_says_when_it_is_tried(service: Service) -> None:
    asked(service, callback=URL)
    service.succeed("1")
    now = service.clock.now().timestamp()
    assert service.view()[CALLBACK] == NEW | {"state": "pending", "next": now}


def test_it_says_how_often_it_was_tried_and_what_came_of_it(service: Service) -> None:
    asked(service, callback=URL)
    service.succeed("1")
    now = service.clock.now()
    with service.store.begin() as work:
        (claimed,) = work.deliveries.claim(now, now, 1)
        work.deliveries.settle(claimed.given_up('it said "no"'))
        work.commit()
    assert service.view()[CALLBACK] == NEW | {"state": "given_up", "attempts": 1, "error": 'it said "no"'}


def test_cancelling_and_retrying_show_it_as_it_then_stands(service: Service) -> None:
    asked(service, callback=URL)
    assert service.client.post("/task/1/cancel").get_json()[CALLBACK]["state"] == "pending"
    assert service.client.post("/task/1/retry").get_json()[CALLBACK] == NEW


def test_a_task_without_one_has_no_such_field_and_an_argument_of_its_name_stands_at_the_top(service: Service) -> None:
    assert list(asked(service)) == list(FIELDS)
    assert asked(service, {"callback": [5]})["callback"] == [5]


def test_the_field_wins_over_an_argument_of_its_name(service: Service) -> None:
    task = asked(service, {"callback": 5, "mine": 1}, callback=URL)
    assert (task["args"], task["mine"], task[CALLBACK]) == ({"callback": 5, "mine": 1}, 1, NEW)
    assert service.client.get("/task/1").text.count('"callback":') == 2


def test_lists_leave_it_out(service: Service) -> None:
    asked(service, callback=URL)
    (task,) = service.client.get("/tasks").get_json()["tasks"]
    assert CALLBACK not in task


@pytest.mark.parametrize(
    "address", ["", "example.org", "ftp://a", "https://me@a", "https://a/\0", "http://a/" + "x" * 2_000]
)
def test_what_is_no_address_is_refused(service: Service, address: str) -> None:
    assert CALLBACK in refused(service, callback=address)
    assert service.client.get("/task/1").status_code == 404


def test_it_is_asked_for_once(service: Service) -> None:
    assert refused(service, callback=[URL, URL]) == {CALLBACK: ["Stands twice."]}


def test_each_of_many_tasks_may_have_its_own(service: Service) -> None:
    items = [{"callback": URL}, {}, {"callback": "http://b"}]
    assert service.client.post("/tasks", json=items).status_code == 201
    assert [service.view(id).get(CALLBACK, {}).get("url") for id in (1, 2, 3)] == [URL, None, "http://b"]


@pytest.mark.parametrize("address", ["", "ftp://a", 5, None, ["http://a"]])
def test_which_of_many_has_none_that_is_one_is_said(service: Service, address: Any) -> None:
    answer = service.client.post("/tasks", json=[{}, {"callback": address}])
    assert answer.status_code == 422
    assert "1" in str(answer.get_json()["errors"])


class TestTypes:
    def test_a_type_may_have_one_that_its_tasks_have_unless_they_bring_their_own(self, service: Service) -> None:
        service.publish("default", callback=URL)
        assert asked(service)[CALLBACK]["url"] == URL
        assert asked(service, callback="http://b")[CALLBACK]["url"] == "http://b"
        (default,) = service.client.get("/types").get_json()["types"]
        assert default["defaults"][CALLBACK] == URL


class TestWithoutASecret:
    def test_a_request_with_one_is_refused_and_told_what_is_missing(self) -> None:
        takes = "It takes an address where WEBHOOK_SECRET is set: callbacks are signed."
        assert refused(Service(), callback=URL) == {CALLBACK: [takes]}

    def test_tasks_of_a_type_that_has_one_are_taken_and_their_callbacks_wait(self) -> None:
        service = Service()
        service.publish("default", callback=URL)
        assert asked(service)[CALLBACK] == NEW
        service.succeed("1")
        assert service.view()[CALLBACK]["state"] == "pending"
        assert steps.stored(service.storage, TaskId(1)).delivery
