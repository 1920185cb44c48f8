"""Ten thousand tasks in one POST /tasks, beside one bare INSERT of as many rows by unnest."""

import json
import socket
import time
from collections.abc import Iterator
from functools import partial

import psycopg2

from benchmarks import load
from benchmarks.comparison import Comparison, Side
from benchmarks.http import free_port
from benchmarks.service import migrated, process, query

NUMBER = 10_000
BODY = json.dumps([{"type": "sleep", "args": {"seconds": n / 1000}} for n in range(NUMBER)])
INSERT = "INSERT INTO notes (args) SELECT * FROM unnest(%s)"
TABLE = "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, args text NOT NULL)"


def submitted(port: int) -> float:
    """Submit all tasks; answers tasks a second."""
    sent = load.request("POST", "/tasks", BODY)
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        load.exchange(connection, sent)
    return NUMBER / (time.perf_counter() - began)


def inserted(url: str) -> float:
    """Insert all rows; answers rows a second."""
    connection = psycopg2.connect(url)
    rows = [json.dumps(item["args"]) for item in json.loads(BODY)]
    began = time.perf_counter()
    with connection, connection.cursor() as cursor:
        cursor.execute(INSERT, (rows,))
    took = time.perf_counter() - began
    connection.close()
    return NUMBER / took


def comparisons() -> Iterator[Comparison]:
    """Yield one. The handler that publishes the type has ended before, so that no task runs meanwhile."""
    with migrated() as url:
        port = free_port()
        query(url, TABLE)
        with process("handler", url):
            pass
        with process("http", url, PORT=str(port)):
            yield Comparison(
                name=f"POST /tasks, {NUMBER:,} typed items",
                unit="tasks/s",
                ours=Side("POST /tasks", partial(submitted, port)),
                reference=Side("bare INSERT by unnest", partial(inserted, url)),
                must=0.12,
                aim=0.25,
                note="the bare INSERT reads no request, checks nothing and keeps no types, counts or terms",
            )
