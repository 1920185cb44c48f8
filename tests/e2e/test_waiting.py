"""Waiting for tasks, by `wait` and by events: answered at once, and without delaying other requests."""

import http.client
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from selectors import EVENT_READ, DefaultSelector
from typing import Any

import psutil
import psycopg2
import pytest

from tests.e2e.service import Service, eventually

# A session that listens asks now and then whether it can write; the others have another statement after that.
LISTENING = """
    SELECT query FROM pg_stat_activity
    WHERE datname = current_database() AND (query LIKE 'LISTEN %' OR query = 'SHOW transaction_read_only')
"""


def listening(service: Service) -> list[tuple[str]]:
    """The connections that listen for notifications."""
    with closing(psycopg2.connect(service.environment["DATABASE_URL"])) as database, database.cursor() as cursor:
        cursor.execute(LISTENING)
        return cursor.fetchall()


WAITS = ("/task/{id}/view?wait=50", "/task/{id}/events")
WAITS_FOR_BATCH = ("/batches/{id}?wait=50", "/batches/{id}/events")


def waiters(
    service: Service, stack: ExitStack, id: int, number: int, paths: tuple[str, ...] = WAITS
) -> list[socket.socket]:
    """Open connections that wait, as many at each of the paths."""
    connections = [stack.enter_context(socket.create_connection(("127.0.0.1", service.port))) for _ in range(number)]
    for nth, connection in enumerate(connections):
        connection.settimeout(20)
        path = paths[nth % len(paths)].format(id=id)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connections


def turned_away(connections: list[socket.socket]) -> int:
    """The number of connections that were answered at once, since too many wait."""
    with DefaultSelector() as ready:
        for each in connections:
            ready.register(each, EVENT_READ, each)
        answered = [key.data for key, _ in ready.select(0)]
    return sum(b"retry-after" in each.recv(65_536, socket.MSG_PEEK).lower() for each in answered)


def contains_word(connection: socket.socket, word: bytes) -> bool:
    """Whether the answer has the word; False where it ends without it, or too many wait."""
    answer = b""
    while not (word in answer or b"retry-after" in answer.lower()) and (more := connection.recv(65_536)):
        answer += more
    return word in answer


def events(service: Service, id: int, last: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Events with their ids, as a browser would read them."""
    return events_at(service, f"/task/{id}/events", last)


def events_at(service: Service, path: str, last: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    connection.request("GET", path, headers={"Last-Event-ID": last} if last else {})
    seen = ""
    for line in connection.getresponse():
        name, _, value = line.decode().rstrip("\n").partition(": ")
        seen = value if name == "id" else seen
        if name == "data":
            yield seen, json.loads(value)
    connection.close()


def test_submit_with_wait_answers_with_the_result(service: Service):
    answer = service.client.post("/task/new/add?wait=20", json={"a": 1, "b": 2})
    assert (answer.status_code, answer.json()["status"], answer.json()["result"]) == (201, "done", 3)


def test_events_show_progress_and_end_with_the_task(service: Service):
    seen = [task for _, task in events(service, service.submit("reporting", {"seconds": 1.5})["id"])]
    assert seen[-1]["status"] == "done"
    progress = [task["progress"]["value"] for task in seen if task["progress"]]
    assert progress == sorted(progress)
    assert len(progress) > 1


def test_one_connection_follows_many_tasks_to_their_ends(service: Service):
    before = service.submit("add", {"a": 0, "b": 0})["created"]
    body = [
        {"type": "reporting", "args": {"seconds": 2}},
        *({"type": "add", "args": {"a": n, "b": n}} for n in range(300)),
    ]
    ids = service.client.post("/tasks", json=body).json()["ids"]
    path, seen = f"/events?created_after={before}", dict[int, list[Any]]()
    received = list(events_at(service, path))
    for _, state in received:
        seen.setdefault(state["id"], []).append(state)
    assert {*ids} <= seen.keys()
    assert {states[-1]["status"] for states in seen.values()} == {"done"}
    assert any(state["progress"] and state["progress"]["value"] < 1 for state in seen[ids[0]])
    assert list(events_at(service, path, received[-1][0])) == []


def test_five_hundred_waiting_requests_delay_no_other(new_service: Callable[..., Service]):
    service = new_service()
    service.start("http")
    service.start("handler")
    service.await_ready("add")
    delayed = service.submit("add", {"a": 1, "b": 2}, delay=3600)["id"]
    with ExitStack() as stack:
        connections = waiters(service, stack, delayed, 510)
        # A request that asks whether one more may wait would itself count as a waiter.
        eventually(lambda: turned_away(connections) == 10)
        assert service.client.get(f"/task/{delayed}?wait=0.01").headers["Retry-After"] == "1"
        assert service.client.get("/ping").status_code == 200
        with ThreadPoolExecutor(16) as pool:
            done = list(pool.map(lambda n: service.submit("add", {"a": n, "b": n})["id"], range(200)))
        assert all(service.await_status(id, "done") for id in done)
        # The API and the handler. Another session may be asked for a moment, before it is used.
        eventually(lambda: len(listening(service)) == 2)
        service.client.post(f"/task/{delayed}/cancel")
        assert sum(contains_word(connection, b'"status":"cancelled"') for connection in connections) == 500


def test_a_stopping_api_answers_waiting_requests_at_once(new_service: Callable[..., Service]):
    service = new_service(GRACE="20")
    api = service.start("http")
    eventually(lambda: service.status("/health/ready") == 200)
    delayed = service.submit(delay=3600)["id"]
    batch = service.client.post("/batches", json={"open": True}).json()["id"]
    with ExitStack() as stack:
        connections = waiters(service, stack, delayed, 6)
        of_batch = waiters(service, stack, batch, 4, WAITS_FOR_BATCH)
        eventually(lambda: b"data: " in connections[-1].recv(65_536, socket.MSG_PEEK))
        eventually(lambda: b"data: " in of_batch[-1].recv(65_536, socket.MSG_PEEK))
        api.send_signal(signal.SIGTERM)
        assert api.wait(5) == 0
        assert all(contains_word(each, b'"status":"waiting"') for each in connections)
        assert all(contains_word(each, b'"finished":null') for each in of_batch)


def test_events_go_on_after_the_api_was_killed(new_service: Callable[..., Service]):
    service = new_service()
    api = service.start("http")
    eventually(lambda: service.status("/health/ready") == 200)
    id = service.submit(delay=3600)["id"]
    stream = events(service, id)
    last, _ = next(stream)
    os.kill(api.pid, signal.SIGKILL)
    with suppress(ConnectionError, http.client.HTTPException):
        assert list(stream) == []
    eventually(lambda: service.status("/ping") is None)  # its worker outlives it for a moment, and may answer
    service.start("http")
    eventually(lambda: service.status("/health/ready") == 200)
    service.client.post(f"/task/{id}/cancel")
    assert [task["status"] for _, task in events(service, id, last)] == ["cancelled"]


@pytest.mark.parametrize(
    "request_line", ["GET {} HTTP/1.1", "GET {} HTTP/1.0", "HEAD {} HTTP/1.1", "OPTIONS {} HTTP/1.1"]
)
def test_a_client_that_disconnects_stops_counting_as_a_waiter(new_service: Callable[..., Service], request_line: str):
    service = new_service(HTTP_WAITERS="2")
    service.start("http")
    eventually(lambda: service.status("/health/ready") == 200)
    delayed = service.submit(delay=3600)["id"]
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.settimeout(20)
            request = request_line.format(f"/task/{delayed}/events")
            connection.sendall(f"{request}\r\nHost: localhost\r\n\r\n".encode())
            assert connection.recv(65_536)
    eventually(lambda: "Retry-After" not in service.client.get(f"/task/{delayed}?wait=0.01").headers)


def test_a_second_signal_causes_no_exception(new_service: Callable[..., Service]):
    """Ctrl-C reaches a worker twice: by its process group, and by its parent process."""
    service = new_service()
    api = service.start("http")
    eventually(lambda: service.status("/health/ready") == 200)
    delayed = service.submit(delay=3600)["id"]
    (worker,) = psutil.Process(api.pid).children()
    with ExitStack() as stack:
        (connection,) = waiters(service, stack, delayed, 1)
        eventually(lambda: "LISTEN" in str(listening(service)))
        worker.send_signal(signal.SIGINT)
        api.send_signal(signal.SIGINT)
        assert contains_word(connection, b'"status":"waiting"')
        assert api.wait(10) == 0
    assert "Exception ignored" not in service.logs()
