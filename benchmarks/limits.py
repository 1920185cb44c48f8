"""Limits: the share of a limit that handlers use while enough tasks wait."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from benchmarks.comparison import Comparison, Side
from benchmarks.drain import drained
from benchmarks.service import migrated, process, query

HANDLERS, CHILDREN = 3, 2
TASK_SECONDS = 0.1
SECONDS = 5.0
"""Seconds that a perfect handler would take."""
SET = """
    INSERT INTO type_limits (type, override) VALUES ('sleep', %s)
    ON CONFLICT (type) DO UPDATE SET override = excluded.override, next_start = NULL
"""
STARTS_PER_SECOND = """
    SELECT CAST((count(*) - 1) / extract(epoch FROM max(started) - min(started)) AS float8) FROM tasks
"""


def comparisons() -> Iterator[Comparison]:
    """Yield limits of tasks at once, then limits of starts in a second."""
    with ExitStack() as stack:
        url = stack.enter_context(migrated())
        for _ in range(HANDLERS):
            stack.enter_context(process("handler", url, HANDLER_CONCURRENCY=str(CHILDREN)))
        for at_once in (1, 4):
            yield _comparison(url, f"{at_once} at once", {"at_once": at_once}, at_once / TASK_SECONDS)
        for per_second in (10, 50):
            yield _comparison(url, f"{per_second} a second", {"per_second": per_second}, per_second)


def _comparison(url: str, name: str, limits: Mapping[str, Any], perfect: float) -> Comparison:
    return Comparison(
        name=f"a limit of {name}, tasks of {TASK_SECONDS * 1000:g} ms",
        unit="starts/s",
        ours=Side(f"{HANDLERS} handlers", partial(_starts_per_second, url, limits, round(perfect * SECONDS))),
        reference=Side("perfect", lambda: perfect),
        must=0.95,
    )


def _starts_per_second(url: str, limits: Mapping[str, Any], number: int) -> float:
    query(url, SET, json.dumps(limits))
    drained(url, number, "sleep", json.dumps({"seconds": TASK_SECONDS}))
    return float(query(url, STARTS_PER_SECOND))
