"""The API: single submits and views, beside a minimal Flask application on the same server and database."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from benchmarks import bare_flask, load
from benchmarks.comparison import Comparison, Side
from benchmarks.service import migrated, process, query, wait_until

THREADS = 16
RATE_SECONDS = 2.0
POST = load.request("POST", "/task/new", '{"required_arg": "test", "n": 5}')
GET = load.request("GET", "/task/1")
GOALS = {1: (None, None), 16: (0.55, 0.85), 64: (None, None)}


def free_port() -> int:
    """A port without a listener."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def bare_app(url: str) -> Iterator[int]:
    """Start the minimal application; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", bare_flask.__name__, str(port), str(THREADS)]
    with subprocess.Popen(command, env={"DATABASE_URL": url, "PYTHONPATH": ".", "PATH": ""}) as started:
        wait_until(lambda: listens(port))
        yield port
        started.terminate()


def listens(port: int) -> bool:
    """Whether a server listens on that port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def comparisons() -> Iterator[Comparison]:
    """Yield POST over 1, 16 and 64 connections, and GET."""
    with ExitStack() as stack:
        url, port = stack.enter_context(migrated()), free_port()
        query(url, bare_flask.TABLE)
        stack.enter_context(process("http", url, PORT=str(port), HTTP_THREADS=str(THREADS)))
        plain = stack.enter_context(bare_app(url))
        for connections, (must, aim) in GOALS.items():
            yield Comparison(
                name=f"POST, {connections} connection{'s' if connections > 1 else ''}",
                unit="req/s",
                ours=Side("POST /task/new", partial(load.rate, port, POST, connections, RATE_SECONDS)),
                reference=Side("Flask, one INSERT", partial(load.rate, plain, POST, connections, RATE_SECONDS)),
                must=must,
                aim=aim,
                note="the minimal application checks nothing, and keeps no types, keys, counts or terms",
            )
        yield Comparison(
            name=f"GET, {THREADS} connections",
            unit="req/s",
            ours=Side("GET /task/1", partial(load.rate, port, GET, THREADS, RATE_SECONDS)),
            reference=Side("Flask, one SELECT", partial(load.rate, plain, GET, THREADS, RATE_SECONDS)),
            must=0.6,
            aim=0.85,
        )
