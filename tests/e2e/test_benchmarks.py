"""Benchmarks that are started and stopped from outside."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests.e2e.service import eventually

ROOT = Path(__file__).resolve().parents[2]


def started_by(benchmark: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """All processes that it has started, once a handler is among them; none before."""
    processes = psutil.Process(benchmark.pid).children(recursive=True)
    return processes if any(map(is_handler, processes)) else []


def is_handler(process: psutil.Process) -> bool:
    """Whether the process is a handler; False for one that has ended."""
    try:
        return "entrypoints.handler" in process.cmdline()
    except psutil.Error:
        return False


def test_a_stopped_benchmark_ends_the_processes_that_it_started() -> None:
    benchmark = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "drain"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        started = eventually(lambda: started_by(benchmark))
    finally:
        benchmark.terminate()
        benchmark.wait(30)
    _, left = psutil.wait_procs(started, timeout=30)
    assert not left
