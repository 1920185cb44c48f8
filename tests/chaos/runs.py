"""The record of the runs of functions: an append-only file with a line for each start and each end of a run."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from flask_tasks import Progress
from tests.chaos.history import Run

FILE_VARIABLE = "CHAOS_RUNS"
"""The environment variable that names the file."""


@contextmanager
def record_run(progress: Progress) -> Iterator[str]:
    """Record the start and the end of a run, which is the block. Its token, which is unique."""
    token = uuid4().hex
    run = {"task": progress.task_id, "attempt": progress.attempt, "child": os.getpid(), "supervisor": os.getppid()}
    _append({"token": token, "started": time.time(), **run})
    try:
        yield token
    finally:
        _append({"token": token, "ended": time.time()})


def _append(line: dict[str, object]) -> None:
    """Append by a single write, which is complete even where the process is killed."""
    file = os.open(os.environ[FILE_VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, json.dumps(line).encode() + b"\n")
    finally:
        os.close(file)


def read(path: Path) -> Iterator[tuple[int, Run]]:
    """Every run with the id of its task, in the order of the starts."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    ends = {line["token"]: line["ended"] for line in lines if "ended" in line}
    for line in lines:
        if "started" in line:
            task = line.pop("task")
            yield task, Run(**line, ended=ends.get(line["token"]))
