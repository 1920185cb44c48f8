"""Draining: the tasks a second of handlers, beside the limits that the database and the clock set."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks import bare
from benchmarks.comparison import Comparison, Side
from benchmarks.service import migrated, process, query, wait_until_true

NOOPS = 30_000
CHILDREN = 2

FILL = """
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses)
    SELECT %s, %s, now(), now(), now() + interval '1 day', 86400, 0, 1, 3 FROM generate_series(1, %s)
"""
IS_EMPTY = """
    SELECT coalesce(sum(change), 0) = 0 FROM task_count_changes WHERE status IN ('waiting', 'running')
"""
"""Uses the counts, since a search for waiting tasks would walk over all claimed ones."""


def drained(url: str, number: int, type: str = "noop", args: str = "{}") -> float:
    """Let the running handlers drain `number` tasks; answers tasks a second."""
    query(url, "TRUNCATE tasks, attempts")
    query(url, FILL, type, args, number)
    query(url, "NOTIFY flask_tasks, 'waiting'")
    began = time.perf_counter()
    wait_until_true(url, IS_EMPTY)
    return number / (time.perf_counter() - began)


def noops(handlers: int, must: float | None, aim: float | None) -> Iterator[Comparison]:
    """Yield no-ops by that many handlers, beside as many bare loops."""
    with ExitStack() as stack:
        url = stack.enter_context(migrated())
        bare.prepare(url)
        for _ in range(handlers):
            stack.enter_context(process("handler", url, HANDLER_CONCURRENCY=str(CHILDREN)))
        yield Comparison(
            name=f"drain no-ops, {handlers} handler{'s' if handlers > 1 else ''}",
            unit="tasks/s",
            ours=Side(f"{CHILDREN} children each", partial(drained, url, NOOPS)),
            reference=Side(f"bare psycopg2, {handlers} process", partial(bare.drained, url, NOOPS, handlers)),
            must=must,
            aim=aim,
            note="the bare loop runs nothing and keeps no types, limits, counts or terms",
        )


def sleeps(milliseconds: int, number: int, must: float | None, aim: float | None) -> Iterator[Comparison]:
    """Yield tasks of a fixed length, beside the best that two children could reach."""
    with migrated() as url, process("handler", url, HANDLER_CONCURRENCY=str(CHILDREN)):
        yield Comparison(
            name=f"tasks of {milliseconds} ms",
            unit="tasks/s",
            ours=Side(
                f"1 handler, {CHILDREN} children",
                partial(drained, url, number, "sleep", f'{{"seconds":{milliseconds / 1000}}}'),
            ),
            reference=Side("perfect", lambda: CHILDREN * 1000 / milliseconds),
            must=must,
            aim=aim,
        )


def comparisons() -> Iterator[Comparison]:
    """Yield all. The processes of each comparison run until the next one is requested."""
    yield from noops(1, must=0.45, aim=0.7)
    yield from noops(2, must=0.4, aim=0.6)
    yield from noops(4, must=None, aim=None)
    yield from sleeps(1, 4000, must=0.8, aim=0.95)
    yield from sleeps(10, 800, must=0.97, aim=0.99)
    yield from sleeps(100, 100, must=None, aim=None)
