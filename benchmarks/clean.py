"""Cleaning: a janitor deletes expired tasks, beside plain DELETEs of the same rows. Tasks are submitted meanwhile."""

import multiprocessing
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

import psycopg2

from benchmarks import load
from benchmarks.comparison import Comparison, Side
from benchmarks.http import free_port
from benchmarks.service import migrated, process, query, wait_until

ROWS, BATCH = 100_000, 1_000
TASKS_PER_SECOND = 100
"""Tasks a second that are submitted and run meanwhile."""

PLAIN = "CREATE TABLE plain (LIKE tasks INCLUDING ALL)"
FILL = """
    INSERT INTO {table} (type, args, terms, created, run_at, expire, ttl, priority, max_attempts, max_losses,
        attempt, claims, status, started, finished, result)
    SELECT 'noop', '{{"n":' || n || '}}', {terms}, moment, moment, moment + n * interval '1 us', 60, 0, 1, 3,
        1, 1, 'done', moment, moment, '{{"message":"done"}}'
    FROM generate_series(1, %s) n, (SELECT now() - interval '1 minute') past (moment)
"""
TERMS: Mapping[str, str] = {"without arguments": "'{}'", "with one": "ARRAY[hashtextextended('n=' || n, 0)]"}
"""The search terms of a task: one for each argument."""
LAST = "SELECT id FROM tasks WHERE status = 'done' AND expire <= now() ORDER BY expire DESC LIMIT 1"
IS_THERE = "SELECT EXISTS (SELECT FROM tasks WHERE id = %s)"
DELETE = """
    DELETE FROM plain WHERE id = ANY (ARRAY(
        SELECT id FROM plain WHERE status <> 'running' AND expire <= now() ORDER BY expire LIMIT %s
    ))
"""


def cleaned(url: str, terms: str) -> float:
    """Let a janitor delete the rows; answers rows a second."""
    query(url, FILL.format(table="tasks", terms=terms), ROWS)
    last = query(url, LAST)
    with process("janitor", url):
        began = time.perf_counter()
        wait_until(lambda: not query(url, IS_THERE, last))
        return ROWS / (time.perf_counter() - began)


def deleted(url: str, terms: str) -> float:
    """Delete the rows by plain statements, each a transaction; answers rows a second."""
    query(url, FILL.format(table="plain", terms=terms), ROWS)
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(DELETE, (BATCH,))
        while cursor.rowcount:
            cursor.execute(DELETE, (BATCH,))
        took = time.perf_counter() - began
    connection.close()
    return ROWS / took


@contextmanager
def submitting(port: int) -> Iterator[None]:
    """Submit no-ops in another process until the end of the block."""
    started = multiprocessing.Process(target=submit, args=(port,), daemon=True)
    started.start()
    yield
    started.kill()
    started.join()


def submit(port: int) -> None:
    """Submit no-ops for ever, TASKS_PER_SECOND of them a second."""
    sent = load.request("POST", "/task/new/noop", "{}")
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while True:
            load.exchange(connection, sent)
            time.sleep(1 / TASKS_PER_SECOND)


def comparisons() -> Iterator[Comparison]:
    """Yield one for tasks without search terms, and one for tasks with a term."""
    with ExitStack() as stack:
        url, port = stack.enter_context(migrated()), free_port()
        query(url, PLAIN)
        stack.enter_context(process("http", url, PORT=str(port)))
        stack.enter_context(process("handler", url, HANDLER_CONCURRENCY="2"))
        stack.enter_context(submitting(port))
        for name, terms in TERMS.items():
            yield Comparison(
                name=f"cleaning tasks {name}",
                unit="rows/s",
                ours=Side("a janitor", partial(cleaned, url, terms)),
                reference=Side(f"DELETE, {BATCH:,} at a time", partial(deleted, url, terms)),
                must=0.5,
                aim=0.8,
                note="the plain table has the same columns and indexes, and no attempts, counts or terms",
            )
