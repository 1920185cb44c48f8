"""Requests that the client repeats without an answer, and requests that it does not repeat."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from adapters.clocks.manual import ManualClock
from flask_tasks.client import Client, ClientError, Invalid, NotFound, Unavailable
from flask_tasks.client.backoff import MAX_PAUSE_SECONDS, MAX_SECONDS
from tests.unit.client_service import Connected, Pauses
from tests.unit.http_service import Service

KEY = "Idempotency-Key"


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def connected(service: Service) -> Connected:
    return Connected(service)


def ids(service: Service) -> list[int]:
    return [task["id"] for task in service.client.get("/tasks").get_json()["tasks"]]


class TestLostAnswers:
    def test_a_lost_answer_to_submit_makes_no_second_task(self, connected: Connected) -> None:
        connected.line.loses = {1, 2, 3}
        assert connected.client.submit().id == 1
        assert ids(connected.service) == [1]
        assert len({request.headers[KEY] for request in connected.line.requests}) == 1

    def test_a_lost_answer_to_submit_many_makes_no_second_tasks(self, connected: Connected) -> None:
        connected.line.loses = {1}
        assert connected.client.submit_many([{}, {"args": {"n": 1}}]) == [1, 2]
        assert ids(connected.service) == [2, 1]

    @pytest.mark.parametrize("look", [Client.view, Client.wait, Client.log, Client.cancel, Client.delete])
    def test_a_request_with_a_lost_answer_is_repeated(
        self, connected: Connected, look: Callable[[Client, int], Any]
    ) -> None:
        connected.client.cancel(connected.client.submit())
        connected.line.loses = {3}
        look(connected.client, 1)
        assert len(connected.line.requests) == 4

    def test_requests_for_lists_types_and_handlers_are_repeated(self, connected: Connected) -> None:
        connected.line.loses = {1, 3, 5, 7}
        assert list(connected.client.list()) == []
        assert list(connected.client.types()) == ["default"]
        assert connected.client.handlers() == []
        assert connected.client.janitors() == []
        assert len(connected.line.requests) == 8

    def test_a_retry_with_a_lost_answer_is_not_repeated(self, connected: Connected) -> None:
        connected.client.cancel(connected.client.submit())
        connected.line.loses = {3}
        with pytest.raises(Unavailable, match="the line was cut"):
            connected.client.retry(1)
        assert connected.service.view()["status"] == "waiting"
        assert len(connected.line.requests) == 3

    def test_delete_of_an_unknown_task_is_an_error(self, connected: Connected) -> None:
        with pytest.raises(NotFound):
            connected.client.delete(1)


class TestUnavailableService:
    def test_a_request_is_repeated_after_retry_after_and_a_pause(self, connected: Connected) -> None:
        connected.service.away = True
        connected.pauses.then = lambda: setattr(connected.service, "away", len(connected.pauses.taken) < 3)
        assert connected.client.submit().id == 1
        assert all(1.0 < pause <= 1.0 + MAX_PAUSE_SECONDS for pause in connected.pauses.taken)
        assert len(connected.pauses.taken) == 3

    def test_the_last_retry_raises_the_error_of_the_service(self, service: Service) -> None:
        connected = Connected(service, retries=4)
        service.away = True
        with pytest.raises(Unavailable) as caught:
            connected.client.view(1)
        assert (caught.value.code, caught.value.retry_after) == (503, 1.0)
        assert len(connected.line.requests) == 5
        assert service.client.get("/task/1").get_json()["message"] == str(caught.value)

    def test_a_client_without_retries_sends_a_request_once(self, service: Service) -> None:
        connected = Connected(service, retries=0)
        service.away = True
        with pytest.raises(Unavailable):
            connected.client.submit()
        assert connected.pauses.taken == []

    def test_submitting_waits_for_a_type_to_accept_tasks_again(self, service: Service) -> None:
        connected = Connected(service)
        service.publish("add")
        service.client.put("/types/add/limits", json={"accepting": False})
        connected.pauses.then = lambda: service.client.delete("/types/add/limits")
        assert connected.client.submit("add").id == 1
        assert len(connected.pauses.taken) == 1

    def test_submitting_to_a_type_that_accepts_no_tasks_is_unavailable(self, service: Service) -> None:
        connected = Connected(service, retries=0)
        service.publish("add")
        service.client.put("/types/add/limits", json={"accepting": False})
        with pytest.raises(Unavailable, match="type add accepts no tasks for now") as caught:
            connected.client.submit("add")
        assert caught.value.retry_after == 10


def answering(answers: Iterator[httpx.Response | Exception]) -> tuple[Client, Pauses, list[httpx.Request]]:
    """Make a client whose requests get these answers."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if isinstance(given := next(answers), Exception):
            raise given
        return given

    pauses = Pauses(ManualClock())
    client = Client("http://service/at", transport=httpx.MockTransport(answer), clock=pauses, retries=100)
    return client, pauses, requests


def always(answer: Callable[[], httpx.Response | Exception]) -> Iterator[httpx.Response | Exception]:
    while True:
        yield answer()


@pytest.mark.parametrize(
    "no_answer",
    [
        lambda: httpx.ConnectError("refused"),
        lambda: httpx.ReadTimeout("slow"),
        lambda: httpx.RemoteProtocolError("gone"),
        *(lambda code=code: httpx.Response(code, text="<html>") for code in (429, 502, 503, 504)),
    ],
)
def test_pauses_grow_and_end_after_the_maximum_time(no_answer: Callable[[], httpx.Response | Exception]) -> None:
    client, pauses, requests = answering(always(no_answer))
    with pytest.raises(Unavailable):
        client.submit()
    assert pauses.taken[0] <= 0.1
    assert MAX_PAUSE_SECONDS / 2 <= max(pauses.taken) <= MAX_PAUSE_SECONDS
    assert MAX_SECONDS <= sum(pauses.taken) <= MAX_SECONDS + MAX_PAUSE_SECONDS
    assert len(requests) == len(pauses.taken) + 1


def test_a_retry_after_beyond_the_maximum_time_is_not_waited_for() -> None:
    client, pauses, _ = answering(always(lambda: httpx.Response(503, headers={"Retry-After": "3600"})))
    with pytest.raises(Unavailable) as caught:
        client.submit()
    assert (caught.value.retry_after, pauses.taken) == (3600, [])


def test_a_retry_that_did_not_reach_the_service_is_repeated() -> None:
    client, _, requests = answering(iter([httpx.ConnectError("refused"), httpx.Response(409, json={"message": "no"})]))
    with pytest.raises(ClientError, match="no"):
        client.retry(7)
    assert [request.url.path for request in requests] == ["/at/task/7/retry"] * 2


@pytest.mark.parametrize("code", [400, 404, 409, 413, 415, 422, 401, 403, 500, 301])
def test_any_other_error_is_not_repeated(code: int) -> None:
    client, pauses, _ = answering(always(lambda: httpx.Response(code, headers={"Location": "https://service/at"})))
    with pytest.raises(ClientError) as caught:
        client.submit()
    assert (caught.value.code, pauses.taken) == (code, [])
    assert str(code) in str(caught.value)


def test_a_redirect_is_an_error_with_its_address() -> None:
    client, _, _ = answering(always(lambda: httpx.Response(308, headers={"Location": "https://service/at"})))
    with pytest.raises(ClientError, match="redirects to https://service/at: the client must be given that address"):
        client.submit()


@pytest.mark.parametrize("text", ["<html>", "[]", "{}", '{"id":1}', '"x"', "1"])
@pytest.mark.parametrize("look", [Client.submit, Client.types, lambda client: client.log(1), lambda c: list(c.list())])
def test_an_answer_of_another_service_is_an_error(look: Callable[[Client], Any], text: str) -> None:
    client, _, _ = answering(always(lambda: httpx.Response(200, text=text)))
    with pytest.raises(ClientError, match="the address must be that of its API"):
        look(client)


def test_a_password_in_the_address_is_not_shown() -> None:
    client = Client("http://me:secret@service", transport=httpx.MockTransport(refused), retries=0)
    with pytest.raises(Unavailable) as caught:
        client.submit()
    assert "secret" not in str(caught.value)
    assert "http://service/task/new/default: refused" in str(caught.value)


def refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def test_headers_go_with_each_request(service: Service) -> None:
    connected = Connected(service, headers={"Authorization": "Bearer me"})
    with connected.client as client:
        client.submit()
        assert [task.status for task in client.list()] == ["waiting"]
    assert [each.headers["Authorization"] for each in connected.line.requests] == ["Bearer me"] * 2


def test_a_value_without_a_json_form_is_not_sent(connected: Connected) -> None:
    with pytest.raises(Invalid):
        connected.client.submit("default", {"a": object()})
    assert connected.line.requests == []
