"""`python3 run.py up`: the time until it is ready, and until the first task submitted then has its result."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryDirectory

from benchmarks import load
from benchmarks.comparison import Comparison
from benchmarks.footprint import figure
from benchmarks.http import free_port
from benchmarks.service import FUNCTIONS, ROOT

FIRST = load.request("POST", "/task/new/noop?wait=20", "{}")


@contextmanager
def up(folder: str) -> Iterator[int]:
    """Run the service over the data in that folder until the end of the block; yields its port once it is ready."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")}
    started = subprocess.Popen(
        [sys.executable, "-m", "entrypoints.up"],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT), "TASKS": str(FUNCTIONS), "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert started.stdout
    try:
        if not any(line.startswith("ready") for line in started.stdout):
            raise RuntimeError("up has ended instead of becoming ready")
        yield port
    finally:
        started.send_signal(signal.SIGINT)
        started.communicate()


def until_ready(folder: str) -> float:
    """Seconds from the start of `up` until it is ready."""
    began = time.perf_counter()
    with up(folder):
        return time.perf_counter() - began


def until_first_result(folder: str) -> float:
    """Seconds from the start of `up` to the result of the first task."""
    began = time.perf_counter()
    with up(folder) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        answer = load.exchange(connection, FIRST)
        took = time.perf_counter() - began
    assert b'"done"' in answer
    return took


def cold(measure: Callable[[str], float]) -> float:
    """Measure in a new, empty folder."""
    with TemporaryDirectory() as folder:
        return measure(folder)


def comparisons() -> Iterator[Comparison]:
    """Yield those with new data (cold), then those with the data of an earlier run (warm)."""
    with TemporaryDirectory() as folder:
        measures: dict[str, Callable[[], float]] = {
            "up cold, to ready": partial(cold, until_ready),
            "up cold, to the first result": partial(cold, until_first_result),
            "up warm, to ready": partial(until_ready, folder),
            "up warm, to the first result": partial(until_first_result, folder),
        }
        for name, measure in measures.items():
            goals = (3, 1.5) if name == "up warm, to the first result" else ()
            yield figure(name, "s", measure, *goals)
