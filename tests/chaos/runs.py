"""The record of the runs of functions: an append-only file with a line for each start and each end of a run."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask_tasks import Progress
from tests.chaos.history import Fault, Run

FILE_VARIABLE = "CHAOS_RUNS"
"""The environment variable that names the file."""
NAMESPACED_HOST = "namespace-"
"""The name of the host of a handler in a namespace of its own, before the pid that it has outside."""


def supervisor() -> int:
    """The pid of the handler of this child."""
    host = socket.gethostname()
    return int(host.removeprefix(NAMESPACED_HOST)) if host.startswith(NAMESPACED_HOST) else os.getppid()


@contextmanager
def record_run(progress: Progress, mark: str | None) -> Iterator[str]:
    """Record the start and the end of a run, which is the block. Its token, which is unique."""
    token = uuid4().hex
    run = {"task": progress.task_id, "attempt": progress.attempt, "child": os.getpid(), "supervisor": supervisor()}
    _append({"token": token, "started": time.time(), "mark": mark, **run})
    try:
        yield token
    finally:
        _append({"token": token, "ended": time.time()})


def record_kill() -> None:
    """Record that this function kills its handler now."""
    _append({"kills": supervisor(), "moment": time.time()})


def _append(line: dict[str, object]) -> None:
    """Append by a single write, which is complete even where the process is killed."""
    file = os.open(os.environ[FILE_VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, json.dumps(line).encode() + b"\n")
    finally:
        os.close(file)


def read(path: Path) -> Iterator[tuple[int, Run]]:
    """Every run with the id of its task, in the order of the starts."""
    lines = _lines(path)
    ends = {line["token"]: line["ended"] for line in lines if "ended" in line}
    for line in lines:
        if "started" in line:
            task = line.pop("task")
            yield task, Run(**line, ended=ends.get(line["token"]))


def read_kills(path: Path) -> Iterator[Fault]:
    """Every death of a handler that was killed by its own function."""
    for line in _lines(path):
        if "kills" in line:
            yield Fault("kill_by_function", line["kills"], line["moment"], line["moment"])


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
