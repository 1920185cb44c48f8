"""A crowd on one database: what many handlers and API processes cost while idle, and what more handlers bring."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from psutil import Process

from benchmarks.comparison import Comparison, Side
from benchmarks.drain import drained
from benchmarks.footprint import family_of, figure
from benchmarks.http import free_port
from benchmarks.processes import busy, memory, server
from benchmarks.service import asked, migrated, process

HANDLERS, APIS = 50, 16
IDLE = 20.0
SETTLED = 75.0
"""Seconds after which what starting has needed is closed again."""
NOOPS = 20_000
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"


def transactions(url: str) -> float:
    """A second, while nobody asks for anything."""
    before = asked(url, TRANSACTIONS)
    time.sleep(IDLE)
    return float(asked(url, TRANSACTIONS) - before) / IDLE


def idle() -> Iterator[Comparison]:
    """Handlers of one child each, as many API processes of one worker, a janitor; nothing is submitted."""
    with ExitStack() as stack:
        url = stack.enter_context(migrated(max_connections=500))
        ours: list[Process] = []
        for _ in range(APIS):
            ours += family_of(stack, url, "http", PORT=str(free_port()))
        ours += family_of(stack, url, "janitor")
        for _ in range(HANDLERS):
            ours += family_of(stack, url, "handler", HANDLER_CONCURRENCY="1")
        time.sleep(SETTLED)
        crowd = f"{HANDLERS} handlers, {APIS} APIs"
        yield figure(f"{crowd}: connections", "", lambda: float(asked(url, CONNECTIONS)))
        yield figure(f"{crowd}: transactions", "/s", partial(transactions, url))
        yield figure(f"{crowd}: CPU of the database", "% core", lambda: busy(server(url), IDLE))
        yield figure(f"{crowd}: CPU of all others", "% core", partial(busy, ours, IDLE))
        yield figure(f"{crowd}: memory of all others", "MB", partial(memory, ours))


def growing() -> Iterator[Comparison]:
    """No-ops by ever more handlers of one child each."""
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
    """Both."""
    yield from growing()
    yield from idle()
