"""The port on which handlers and janitors serve their metrics and their health."""

import socket
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection

import pytest

from entrypoints.metrics import listener
from entrypoints.metrics.listener import Answers, CannotListen, Listener
from tests.concurrency import until
from tests.ports import free_port

Get = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def ready() -> list[bool]:
    return [False]


@pytest.fixture
def start(port: int, ready: list[bool]) -> Callable[[], None]:
    answers = Answers(lambda: b"flask_tasks_database_up 1.0\n", lambda: ready[-1])
    return Listener("127.0.0.1", port, answers).start


@pytest.fixture
def get(port: int) -> Get:
    def get(path: str) -> tuple[int, str, str]:
        with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read().decode()

    return get


def test_it_serves_metrics_and_health(start: Callable[[], None], get: Get, ready: list[bool]):
    start()
    assert get("/metrics") == (200, "text/plain; version=0.0.4; charset=utf-8", "flask_tasks_database_up 1.0\n")
    assert get("/metrics?x=1")[0] == 200
    assert get("/health/live") == (200, "application/json", '{"status":"live"}')
    assert get("/health/ready") == (503, "application/json", '{"status":"not ready"}')
    ready.append(True)
    assert get("/health/ready") == (200, "application/json", '{"status":"ready"}')
    assert get("/tasks")[0] == 404


def test_it_waits_for_a_port_that_another_process_has(
    start: Callable[[], None], get: Get, port: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(listener, "RETRY_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", port)):
        start()
    until(lambda: answers(get))


def answers(get: Get) -> bool:
    try:
        return get("/health/live")[0] == 200
    except OSError:
        return False


def test_an_address_of_another_machine_is_refused(port: int):
    with pytest.raises(CannotListen, match="is not an address of this machine"):
        Listener("192.0.2.1", port, Answers(lambda: b"", lambda: True)).start()
