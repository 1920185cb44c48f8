"""Start of a child: its command, its environment, and the descriptor that tells of its death."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.executors.process.ipc.prctl import CHILD_VARIABLE
from flask_tasks.progress import TRACE_VARIABLE

ROOT = Path(__file__).resolve().parents[4]
START_FILE = str(ROOT / "adapters/executors/process/child/start.py")
ONE_THREAD = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
"""Libraries that would each start a thread for every core in every child."""


def spawn(
    tasks: Sequence[str], directory: Path, mark: str, descriptors: tuple[int, ...], max_runs: int | None
) -> "subprocess.Popen[bytes]":
    """Start a child in a session of its own. It inherits the descriptors, and has the mark in its environment."""
    numbers = map(str, (*descriptors, os.getpid(), max_runs or 0))
    return subprocess.Popen(
        [sys.executable, START_FILE, *numbers, *tasks],
        stdin=subprocess.DEVNULL,
        stdout=2,
        pass_fds=descriptors,
        cwd=directory,
        env=_environment(os.environ, mark),
        start_new_session=True,
    )


def pidfd(process: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None where the system has none."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(process)
    except OSError:
        return None


def _environment(ours: Mapping[str, str], mark: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), ours.get("PYTHONPATH"))))
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ONE_THREAD}
    kept = {name: value for name, value in ours.items() if name != TRACE_VARIABLE}  # each run has a trace of its own
    return {CHILD_VARIABLE: mark} | one_thread | {**kept, "PYTHONPATH": path, CHILD_VARIABLE: mark}
