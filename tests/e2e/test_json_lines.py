"""Lists as JSON lines over a real server: clients that do not read cost little, and hold up nothing."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from time import monotonic

import psutil
import psycopg2
import pytest

from tests.e2e.service import Service, eventually

TASKS, RESULT_BYTES, READERS = 2_000, 20_000, 20
LISTS_MEBIBYTES = READERS * TASKS * RESULT_BYTES // 2**20  # about 760
FILL = """
    INSERT INTO tasks (type, status, args, result, created, run_at, expire, ttl, priority, max_attempts, max_losses,
        attempt, claims, started, finished)
    SELECT 'default', 'done', '{}', to_json(repeat('x', %(bytes)s))::text, now(), now(), now() + interval '1 day',
        86400, 0, 1, 3, 1, 1, now(), now() + id * interval '1 ms'
    FROM generate_series(1, %(tasks)s) AS id
"""
OPEN_TRANSACTIONS = """
    SELECT state, query FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state IN ('active', 'idle in transaction')
"""
REQUEST = b"GET /tasks?include=result HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n"


@pytest.fixture
def service(new_service: Callable[..., Service]) -> Service:
    """An API over tasks with large results."""
    service = new_service()
    service.start("http")
    eventually(lambda: service.status("/health/ready") == 200)
    with closing(psycopg2.connect(service.environment["DATABASE_URL"])) as database, database.cursor() as cursor:
        cursor.execute(FILL, {"tasks": TASKS, "bytes": RESULT_BYTES})
        database.commit()
    return service


@pytest.fixture
def stalled(service: Service) -> Iterator[list[socket.socket]]:
    """Clients that have asked for all tasks, and read nothing but the first bytes."""
    with ExitStack() as stack:
        yield [stack.enter_context(_stalled_reader(service)) for _ in range(READERS)]


def _stalled_reader(service: Service) -> socket.socket:
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    reader.settimeout(20)
    reader.connect(("127.0.0.1", service.port))
    reader.sendall(REQUEST)
    assert reader.recv(12) == b"HTTP/1.1 200"
    return reader


def transactions(service: Service) -> list[tuple[str, str]]:
    with closing(psycopg2.connect(service.environment["DATABASE_URL"])) as database, database.cursor() as cursor:
        cursor.execute(OPEN_TRANSACTIONS)
        return cursor.fetchall()


def memory_mebibytes(service: Service) -> float:
    (api,) = map(psutil.Process, (each.pid for each in service.processes))
    return sum(each.memory_info().rss for each in (api, *api.children(recursive=True))) / 2**20


def test_clients_that_stop_reading_hold_no_connection_no_request_and_little_memory(
    service: Service, stalled: list[socket.socket]
):
    eventually(lambda: not transactions(service))
    began = monotonic()
    assert service.status("/ping") == service.status("/task/1/view") == 200
    assert monotonic() - began < 1
    assert memory_mebibytes(service) < LISTS_MEBIBYTES / 2
    assert service.client.get("/tasks", params={"limit": 1}).json()["next"]


def test_a_list_of_many_pages_arrives_whole(service: Service):
    with service.client.stream("GET", "/tasks?include=result", headers={"Accept": "application/x-ndjson"}) as answer:
        *tasks, last = map(json.loads, answer.iter_lines())
    assert ([task["id"] for task in tasks], last) == ([*range(TASKS, 0, -1)], {"next": None})
    assert {len(task["result"]) for task in tasks} == {RESULT_BYTES}
