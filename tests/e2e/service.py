"""The service as real processes, with a client that calls it over HTTP."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.conftest import ROOT
from tests.ports import free_port

MAX_WAIT_SECONDS, STOP_SECONDS = 20.0, 1.0
T = TypeVar("T")


def eventually(check: Callable[[], T | None], within: float = MAX_WAIT_SECONDS) -> T:
    """Call the check until it is true. Its first true answer; the test fails when the time is over."""
    end = time.monotonic() + within
    while not (answer := check()):
        assert time.monotonic() < end, f"still {answer!r} after {within} s"
        time.sleep(0.02)
    return answer


class Service:
    """Processes over one database. Their output is logged in `folder`."""

    def __init__(self, database_url: str, folder: Path, **variables: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            "LEASE": "3",
            "GRACE": "5",
            "HANDLER_CONCURRENCY": "2",
            **variables,
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start a process: http, handler, janitor or migrate."""
        with (self.folder / f"{name}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"entrypoints.{name}"],
                cwd=ROOT,
                env=self.environment | variables,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """End all processes that still run, frozen ones included. Those with running tasks are soon killed."""
        for process in self.processes:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.client.close()

    def logs(self) -> str:
        """The output of all processes so far."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def await_ready(self, *types: str) -> None:
        """Wait until the API is ready, and each of these types has a live handler."""
        eventually(lambda: self.status("/health/ready") == 200)
        eventually(lambda: set(types) <= self._live())

    def submit(self, type: str = "default", args: Any = None, **options: Any) -> dict[str, Any]:
        answer = self.client.post(f"/task/new/{type}", json={} if args is None else args, params=options)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def view(self, id: int) -> dict[str, Any]:
        answer = self.client.get(f"/task/{id}/view")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def await_status(self, id: int, *statuses: str, within: float = MAX_WAIT_SECONDS) -> dict[str, Any]:
        """Wait until the task has one of these statuses. The task."""
        end = time.monotonic() + within
        while (task := self.view(id))["status"] not in statuses:
            assert time.monotonic() < end, f"{task}\n{self.logs()[-4000:]}"
            time.sleep(0.02)
        return task

    def run(self, type: str = "default", args: Any = None, **options: Any) -> dict[str, Any]:
        """Submit a task, and wait until it is final. The task."""
        return self.await_status(self.submit(type, args, **options)["id"], *FINAL)

    def status(self, path: str) -> int | None:
        """The status code of the answer; None where the API does not listen."""
        try:
            return self.client.get(path).status_code
        except httpx.TransportError:
            return None

    def _live(self) -> set[str]:
        return {type["name"] for type in self.client.get("/types").json()["types"] if type["live"]}


@contextmanager
def running_service(database_url: str, folder: Path, functions: Path, *types: str) -> Iterator[Service]:
    """API, handler and janitor over the functions that ship and those of a file, once these types are live."""
    service = Service(database_url, folder, TASKS=f"tasks/tasks.py,{functions}")
    try:
        for name in ("http", "handler", "janitor"):
            service.start(name)
        service.await_ready("default", "add", "mov3d", *types)
        yield service
    finally:
        service.stop()


FINAL: Sequence[str] = ("done", "failed", "cancelled")
