"""The pages over a million tasks, beside smaller databases; and the cost of dashboards that stay open.

An empty database has no row to show. What a million tasks cost is told by the database whose pages show as many rows.
"""

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from threading import Event, Thread

import psycopg2
from psutil import Process

from benchmarks import load
from benchmarks.comparison import Comparison, Side
from benchmarks.http import free_port
from benchmarks.processes import cpu_percent, process_tree, server
from benchmarks.service import migrated, process, query

ROWS = 1_000_000
SMALL_ROWS = 2_500
"""So few that each page is still full."""
REQUESTS = 60
MAX_MS = 100.0
DASHBOARDS = 20
OPEN_SECONDS = 20.0
TASKS_PER_SECOND = 20
"""Tasks that are submitted meanwhile, so that every page has something to show."""
PAGES: Mapping[str, str] = {
    "the overview": "/",
    "the list": "/dashboard/tasks",
    "the list of failed tasks": "/dashboard/tasks?status=failed",
    "the list of one type": "/dashboard/tasks?type=kind-3&status=failed",
}
FAILED_SHARE = 5
"""One task in so many has failed."""
FILL = f"""
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses,
        status, attempt, claims, started, finished, result, error)
    SELECT 'kind-' || n %% 10, '{{}}', now(), now(), now() + interval '30 days', 86400, 0, 1, 3,
        CASE WHEN n <= failed THEN 'failed' ELSE 'done' END, 1, 1, now(), now(),
        CASE WHEN n > failed THEN 'null' END,
        CASE WHEN n <= failed THEN json_build_array('Error' || n %% 7, 'no ' || n || ' of ' || n %% 50, 1)::text END
    FROM (VALUES (%s)) given (number), LATERAL (SELECT number / {FAILED_SHARE} AS failed) share,
        generate_series(1, number) n
"""


def comparisons() -> Iterator[Comparison]:
    """Yield the pages, then the dashboards."""
    with ExitStack() as stack:
        empty, small, large = (_served(stack, rows) for rows in (0, SMALL_ROWS, ROWS))
        for name, path in PAGES.items():
            for other in (small, empty):
                yield Comparison(
                    name=f"{name}, 95th percentile",
                    unit="ms",
                    ours=Side(str(large), partial(_percentile_95, large.port, path)),
                    reference=Side(str(other), partial(_percentile_95, other.port, path)),
                    more_is_better=False,
                    must=1.5,
                    note=f"at most {MAX_MS:g} ms",
                )
        stack.enter_context(process("handler", large.url, HANDLER_CONCURRENCY="1"))
        stack.enter_context(process("janitor", large.url))
        yield Comparison(
            name=f"{DASHBOARDS} open dashboards",
            unit="% of a core more",
            ours=Side("the API and the database", partial(_cost_of_dashboards, large)),
            more_is_better=False,
            must=5.0,
        )


class _Served:
    """A database, and the API over it."""

    def __init__(self, url: str, port: int, api: int, rows: int) -> None:
        self.url, self.port = url, port
        self._api, self._rows = api, rows

    def __str__(self) -> str:
        return f"{self._rows:,} tasks, {self._rows // FAILED_SHARE:,} failed" if self._rows else "no task"

    @property
    def processes(self) -> Sequence[Process]:
        return [*process_tree(self._api), *server(self.url)]


def _served(stack: ExitStack, rows: int) -> _Served:
    url, port = stack.enter_context(migrated()), free_port()
    if rows:
        query(url, FILL, rows)
    _vacuum(url)
    api = stack.enter_context(process("http", url, PORT=str(port)))
    return _Served(url, port, api.pid, rows)


def _vacuum(url: str) -> None:
    """Vacuum as the server has done some time after so many inserts."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute("VACUUM (ANALYZE)")


def _percentile_95(port: int, path: str) -> float:
    """Milliseconds until the whole page has come, one request after the other."""
    sent = load.request("GET", path)
    times = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(REQUESTS):
            began = time.perf_counter()
            load.exchange(connection, sent)
            times.append(1000 * (time.perf_counter() - began))
    return sorted(times)[int(0.95 * REQUESTS)]


def _cost_of_dashboards(served: _Served) -> float:
    """CPU that open dashboards take beyond that of the same work without them."""
    with _work(served.port):
        time.sleep(2)
        without = cpu_percent(served.processes, OPEN_SECONDS)
        with ExitStack() as stack:
            for number in range(DASHBOARDS):
                path = [*PAGES.values()][number % len(PAGES)]
                stack.enter_context(_stream(served.port, path))
            time.sleep(2)
            return cpu_percent(served.processes, OPEN_SECONDS) - without


@contextmanager
def _work(port: int) -> Iterator[None]:
    """Submit TASKS_PER_SECOND until the end of the block."""
    ended = Event()
    sent = load.request("POST", "/task/new/noop", "{}")

    def submit() -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            while not ended.wait(1 / TASKS_PER_SECOND):
                load.exchange(connection, sent)

    thread = Thread(target=submit, daemon=True)
    thread.start()
    yield
    ended.set()
    thread.join()


@contextmanager
def _stream(port: int, path: str) -> Iterator[None]:
    """Keep a page open: read its event stream until the end of the block."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode())
        reader = Thread(target=_read_all, args=(connection,), daemon=True)
        reader.start()
        yield
        connection.shutdown(socket.SHUT_RDWR)
        reader.join()


def _read_all(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass
