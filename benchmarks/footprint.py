"""Memory and CPU of an idle service, and the time to the first task of a handler."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from psutil import Process

from benchmarks.comparison import Comparison, Side
from benchmarks.drain import FILL
from benchmarks.http import free_port
from benchmarks.processes import cpu_percent, memory, process_tree, server
from benchmarks.service import migrated, process, query, wait_until

HEAVY = Path(__file__).with_name("heavy_functions.py")
IDLE_SECONDS = 20.0
"""Seconds over which CPU is measured."""
GOALS: Mapping[str, tuple[float, float]] = {"the API": (90, 60), "a supervisor": (60, 45), "a child": (25, 15)}


def figure(
    name: str, unit: str, measure: Callable[[], float], must: float | None = None, aim: float | None = None
) -> Comparison:
    """A figure without a reference, of which less is better."""
    return Comparison(name=name, unit=unit, ours=Side("the service", measure), more_is_better=False, must=must, aim=aim)


def first_task(url: str) -> float:
    """Seconds from the start of a handler to the end of a task that was waiting for it."""
    query(url, "TRUNCATE tasks")
    query(url, FILL, "noop", "{}", 1)
    began = time.perf_counter()
    with process("handler", url, HANDLER_CONCURRENCY="1"):
        wait_until(lambda: bool(query(url, "SELECT finished IS NOT NULL FROM tasks")))
        return time.perf_counter() - began


def comparisons() -> Iterator[Comparison]:
    """Yield each part by itself, then all of them together."""
    with ExitStack() as stack:
        url, port = stack.enter_context(migrated()), free_port()
        yield figure("a handler's first task, from its start", "s", partial(first_task, url))
        start = partial(start_process, stack, url)
        api, janitor = start("http", PORT=str(port)), start("janitor")
        supervisor, child, *_ = start("handler", HANDLER_CONCURRENCY="1")
        heavy_supervisor, heavy, *_ = start("handler", HANDLER_CONCURRENCY="1", TASKS=str(HEAVY))
        parts = {
            "the API": api,
            "a janitor": janitor,
            "a supervisor": [supervisor],
            "a child": [child],
            "a child with numpy": [heavy],
        }
        for name, processes in parts.items():
            yield figure(f"memory of {name}", "MB", partial(memory, processes), *GOALS.get(name, ()))
        heavy_supervisor.terminate()
        heavy_supervisor.wait()
        all_of_it = [*api, *janitor, supervisor, child]
        yield figure("CPU of an idle service", "% core", partial(cpu_percent, all_of_it, IDLE_SECONDS), 1.5, 0.5)
        yield figure("CPU of its database", "% core", lambda: cpu_percent(server(url), IDLE_SECONDS))


def start_process(stack: ExitStack, url: str, name: str, **variables: str) -> Sequence[Process]:
    """Start a process of the service for the stack; answers it and its descendants."""
    return process_tree(stack.enter_context(process(name, url, **variables)).pid)
