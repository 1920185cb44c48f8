"""The delay from the answer of submit to the start of the function, idle, beside a bare LISTEN and claim."""

import json
import multiprocessing
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

import psycopg2

from benchmarks import bare, load
from benchmarks.comparison import Comparison, Side
from benchmarks.http import free_port
from benchmarks.service import migrated, process, query

TASKS = 100
PAUSE_SECONDS = 0.02
"""Seconds between two tasks, so that the service is idle when the next one comes."""
PERCENTILES: Mapping[str, tuple[float, float, float]] = {"p50": (0.5, 2.5, 1.5), "p99": (0.99, 4, 2)}
"""Percentiles with their goals (must, aim)."""


def service(port: int, until: Callable[[float], float] = lambda began: began) -> list[float]:
    """Seconds from the answer of POST to the first line of the function, or to the time that `until` answers."""
    sent = load.request("POST", "/task/new/clock", "{}")
    delays = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(TASKS):
            time.sleep(PAUSE_SECONDS)
            task = _body(load.exchange(connection, sent))
            answered = time.time()
            done = _body(load.exchange(connection, load.request("GET", f"/task/{task['id']}?wait=10")))
            delays.append(until(done["result"]) - answered)
    return delays


def waited(port: int) -> list[float]:
    """Seconds from the answer of POST to the result, by `?wait=`."""
    return service(port, lambda _: time.time())


def _body(answer: bytes) -> dict[str, float]:
    body: dict[str, float] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return body


def listening(url: str) -> list[float]:
    """Seconds from the commit of an INSERT with its NOTIFY to the claim by a bare listener."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    delays = []
    with connection.cursor() as cursor:
        for _ in range(TASKS):
            time.sleep(PAUSE_SECONDS)
            cursor.execute("INSERT INTO bare (type, run_at, args) VALUES ('clock', now(), '{}') RETURNING id")
            (id,) = cursor.fetchone() or (0,)
            cursor.execute("NOTIFY bare")
            answered = time.time()
            result = None
            while result is None:
                cursor.execute("SELECT result FROM bare WHERE id = %s", (id,))
                (result,) = cursor.fetchone() or (None,)
            delays.append(float(result) - answered)
    connection.close()
    return delays


def listen(url: str) -> None:
    """Claim each notified row, one at a time, and note the time."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("LISTEN bare")
    while True:
        select.select([connection], [], [])
        connection.poll()
        connection.notifies.clear()
        cursor.execute(bare.CLAIM, (1,))
        for id, *_ in cursor.fetchall():
            cursor.execute("UPDATE bare SET status = 'done', result = %s WHERE id = %s", (str(time.time()), id))


@contextmanager
def listener(url: str) -> Iterator[None]:
    """Run a listener in a process until the end of the block."""
    started = multiprocessing.Process(target=listen, args=(url,), daemon=True)
    started.start()
    time.sleep(0.5)
    yield
    started.kill()
    started.join()


def percentile(measure: Callable[[], list[float]], of: float) -> float:
    """The percentile of the delays, in milliseconds."""
    delays = sorted(measure())
    return 1000 * delays[min(int(of * len(delays)), len(delays) - 1)]


def comparisons() -> Iterator[Comparison]:
    """Yield the median and the 99th percentile."""
    with ExitStack() as stack:
        url, port = stack.enter_context(migrated()), free_port()
        bare.prepare(url)
        stack.enter_context(process("http", url, PORT=str(port)))
        stack.enter_context(process("handler", url, HANDLER_CONCURRENCY="2"))
        stack.enter_context(listener(url))
        query(url, "ANALYZE")
        for name, (of, must, aim) in PERCENTILES.items():
            yield Comparison(
                name=f"submit to start, {name}",
                unit="ms",
                ours=Side("POST to the function", partial(percentile, partial(service, port), of)),
                reference=Side("bare LISTEN", partial(percentile, partial(listening, url), of)),
                more_is_better=False,
                must=must,
                aim=aim,
            )
            result = Side("POST to the answer of `?wait=`", partial(percentile, partial(waited, port), of))
            yield Comparison(name=f"submit to the result, {name}", unit="ms", ours=result, more_is_better=False)
