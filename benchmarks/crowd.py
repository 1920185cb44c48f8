"""Many processes on one database: the cost of idle handlers and APIs, and the throughput of more handlers."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from psutil import Process

from benchmarks.comparison import Comparison, Side
from benchmarks.drain import drained
from benchmarks.footprint import figure, start_process
from benchmarks.http import free_port
from benchmarks.processes import cpu_percent, memory, server
from benchmarks.service import migrated, process, query

HANDLERS, APIS = 50, 16
IDLE_SECONDS = 20.0
SETTLE_SECONDS = 75.0
"""Seconds after which the connections of starting are closed again."""
NOOPS = 20_000
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"


def transactions(url: str) -> float:
    """Transactions a second of an idle service."""
    before = query(url, TRANSACTIONS)
    time.sleep(IDLE_SECONDS)
    return float(query(url, TRANSACTIONS) - before) / IDLE_SECONDS


def idle() -> Iterator[Comparison]:
    """Yield the figures of idle handlers of one child each, API processes of one worker each, and a janitor."""
    with ExitStack() as stack:
        url = stack.enter_context(migrated(max_connections=500))
        ours: list[Process] = []
        for _ in range(APIS):
            ours += start_process(stack, url, "http", PORT=str(free_port()))
        ours += start_process(stack, url, "janitor")
        for _ in range(HANDLERS):
            ours += start_process(stack, url, "handler", HANDLER_CONCURRENCY="1")
        time.sleep(SETTLE_SECONDS)
        crowd = f"{HANDLERS} handlers, {APIS} APIs"
        yield figure(f"{crowd}: connections", "", lambda: float(query(url, CONNECTIONS)))
        yield figure(f"{crowd}: transactions", "/s", partial(transactions, url))
        yield figure(f"{crowd}: CPU of the database", "% core", lambda: cpu_percent(server(url), IDLE_SECONDS))
        yield figure(f"{crowd}: CPU of all others", "% core", partial(cpu_percent, ours, IDLE_SECONDS))
        yield figure(f"{crowd}: memory of all others", "MB", partial(memory, ours))


def growing() -> Iterator[Comparison]:
    """Yield the throughput of no-ops with 1, 2, 4 and 8 handlers of one child each."""
    with ExitStack() as stack:
        url = stack.enter_context(migrated())
        there = 0
        for handlers in (1, 2, 4, 8):
            for _ in range(handlers - there):
                stack.enter_context(process("handler", url, HANDLER_CONCURRENCY="1"))
            there = handlers
            yield Comparison(
                name=f"drain no-ops, {handlers} of one child",
                unit="tasks/s",
                ours=Side(f"{handlers} handlers", partial(drained, url, NOOPS)),
            )


def comparisons() -> Iterator[Comparison]:
    """Yield both."""
    yield from growing()
    yield from idle()
