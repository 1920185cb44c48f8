"""Draining: how many tasks a second a handler runs, and how far that is from what the database or the clock allow."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks import bare
from benchmarks.comparison import Comparison, Side
from benchmarks.service import asked, migrated, process, until_answered

NOOPS = 30_000
CHILDREN = 2

FILL = """
    INSERT INTO tasks (type, args, created, run_at, expire, ttl, priority, max_attempts, max_losses)
    SELECT %s, %s, now(), now(), now() + interval '1 day', 86400, 0, 1, 3 FROM generate_series(1, %s)
"""
IS_EMPTY = """
    SELECT coalesce(sum(change), 0) = 0 FROM task_count_changes WHERE status IN ('waiting', 'running')
"""
"""By the counts: to look for waiting tasks is to walk over all that have been claimed."""


def drained(url: str, number: int, type: str = "noop", args: str = "{}") -> float:
    """Tasks a second, of so many, by the handlers that are there."""
    asked(url, "TRUNCATE tasks, attempts")
    asked(url, FILL, type, args, number)
    asked(url, "NOTIFY flask_tasks, 'waiting'")
    began = time.perf_counter()
    until_answered(url, IS_EMPTY)
    return number / (time.perf_counter() - began)


def noops(handlers: int, must: float | None, aim: float | None) -> Iterator[Comparison]:
    """No-ops by so many handlers, beside as many bare loops."""
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
    """Tasks of a fixed length, beside what two children could do at best."""
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
    """All of them; what each needs is there until the next is asked for."""
    yield from noops(1, must=0.45, aim=0.7)
    yield from noops(2, must=0.4, aim=0.6)
    yield from noops(4, must=None, aim=None)
    yield from sleeps(1, 4000, must=0.8, aim=0.95)
    yield from sleeps(10, 800, must=0.97, aim=0.99)
    yield from sleeps(100, 100, must=None, aim=None)
