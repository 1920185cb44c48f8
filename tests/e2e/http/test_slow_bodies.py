"""Clients that send their bodies slowly, or not at all: others are served, and the slow ones get an answer."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

import pytest

from tests.conftest import ROOT
from tests.e2e.http.wire import HEAD, POST, code_of, connection, rest_of
from tests.e2e.service import Service, eventually

IMPATIENT = """
import runpy
from functools import partial
from entrypoints.http.limits import reception
from entrypoints.http.wsgi import idle_connections
reception.Pace = partial(reception.Pace, grace_seconds=0.5)
idle_connections.MAX_IDLE_SECONDS, idle_connections.LOOK_SECONDS = 1.0, 0.1
runpy.run_module("entrypoints.http", run_name="__main__")
"""
"""An API that waits for a body only half a second, and for a connection a second."""


@contextmanager
def slow_clients(service: Service, path: str, number: int, trickle: bytes) -> Iterator[list[socket.socket]]:
    """So many connections, each with the head of a request, and with the trickle ten times a second."""
    head = f"POST {path} HTTP/1.1\r\n".encode() + HEAD + b"Content-Length: 300\r\n\r\n"
    over = Event()
    with ExitStack() as stack:
        clients = [stack.enter_context(connection(service)) for _ in range(number)]
        for client in clients:
            client.sendall(head)

        def send() -> None:
            while trickle and not over.wait(0.1):
                for client in clients:
                    try:
                        client.sendall(trickle)
                    except OSError:
                        continue

        sender = Thread(target=send)
        sender.start()
        yield clients
        over.set()
        sender.join()


@pytest.mark.parametrize("trickle", [b"", b" "], ids=["nothing", "a byte at a time"])
@pytest.mark.parametrize(("path", "number"), [("/task/new", 12), ("/task/new", 60), ("/tasks", 4), ("/tasks", 30)])
def test_slow_bodies_keep_no_place_from_others(service: Service, path: str, number: int, trickle: bytes) -> None:
    with slow_clients(service, path, number, trickle):
        end = time.monotonic() + 2
        while time.monotonic() < end:
            answer = service.client.post(path, json=[{}] if path == "/tasks" else {})
            assert answer.status_code == 201, answer.text
            assert answer.elapsed.total_seconds() < 2


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="this system does not tell how long a connection is idle")
def test_a_client_that_sends_nothing_more_is_answered_with_408(new_service: Callable[..., Service]) -> None:
    service = new_service()
    with (service.folder / "impatient.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", IMPATIENT], cwd=ROOT, env=service.environment, stdout=log, stderr=log
        )
    service.processes.append(process)
    eventually(lambda: code_of(service, "/health/ready") == 200)
    with ExitStack() as stack:
        clients = [stack.enter_context(connection(service)) for _ in range(3)]
        for client, end in zip(clients, (b"", b"{", b"{}"), strict=True):
            client.sendall(POST + b"Content-Length: 2\r\n\r\n" + end)
        codes = [client.recv(65_536)[9:12] for client in clients]
    assert codes == [b"408", b"408", b"201"]


def test_a_body_that_gave_its_place_away_is_answered_with_408_when_it_comes(service: Service) -> None:
    with slow_clients(service, "/tasks", 4, b"") as clients:
        for _ in range(8):
            assert service.client.post("/tasks", json=[{}]).status_code == 201
        answers = []
        for client in clients:
            client.sendall(b" " * 300)
            answers.append(rest_of(client))
    (late,) = (answer for answer in answers if answer.startswith(b"HTTP/1.1 408 "))
    head, _, body = late.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert json.loads(body)["code"] == 408
