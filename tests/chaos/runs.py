"""The record of the functions: an append-only file with a line for each beginning and each end of a run."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from flask_tasks import Progress
from tests.chaos.history import Run

VARIABLE = "CHAOS_RUNS"
"""Names the file, for the functions."""


@contextmanager
def recorded(progress: Progress) -> Iterator[str]:
    """Write that a run begins, give it a token of its own, and write that it ends."""
    token = uuid4().hex
    who = {"task": progress.task_id, "attempt": progress.attempt, "child": os.getpid(), "supervisor": os.getppid()}
    _append({"token": token, "started": time.time(), **who})
    try:
        yield token
    finally:
        _append({"token": token, "ended": time.time()})


def _append(line: dict[str, object]) -> None:
    """By a single write, which nobody's death can split."""
    file = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, json.dumps(line).encode() + b"\n")
    finally:
        os.close(file)


def read(path: Path) -> Iterator[tuple[int, Run]]:
    """Every run with the id of its task, in the order of their beginnings."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    ends = {line["token"]: line["ended"] for line in lines if "ended" in line}
    for line in lines:
        if "started" in line:
            task = line.pop("task")
            yield task, Run(**line, ended=ends.get(line["token"]))
