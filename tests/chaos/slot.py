"""A slot of the service: one process at a time, and the next one where it has ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path

import psutil

from tests.chaos.lines import Line
from tests.conftest import ROOT


class Slot:
    """`module` runs here. Each process has a name of its own, by which the database knows who wrote."""

    def __init__(
        self, name: str, module: str, line: Line, url: str, environment: Mapping[str, str], logs: Path
    ) -> None:
        self.slot_name, self.line = name, line
        self._module, self._url, self._environment, self._logs = module, url, environment, logs
        self._numbers = count(1)
        self._may_end = False
        self._back_at = 0.0
        self.pids: dict[str, int] = {}
        self.start()

    @property
    def pid(self) -> int:
        """The process that is there, or was the last."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether one is there."""
        return self._process.poll() is None

    def start(self) -> None:
        """Put a new process there."""
        self.name = f"{self.slot_name}.{next(self._numbers)}"
        url = f"{self._url}?application_name={self.name}&port={self.line.port}"
        with (self._logs / f"{self.name}.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module],
                cwd=ROOT,
                env={**os.environ, **self._environment, "DATABASE_URL": url},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._may_end = False
        self.pids[self.name] = self.pid

    def tend(self) -> str | None:
        """Fill it again when its time has come; a sentence where its process had no reason to end."""
        if self.is_alive:
            return None
        surprise = None if self._may_end else f"{self.name} ended by itself with code {self._process.returncode}"
        if time.monotonic() >= self._back_at:
            self.start()
        return surprise

    def end(self, how: signal.Signals, away: float = 0.0) -> None:
        """End what is there; the next one comes that many seconds later at the earliest."""
        self._may_end = True
        self._back_at = time.monotonic() + away
        self._process.send_signal(how)

    def send_signal(self, number: signal.Signals) -> None:
        """Send one to the process alone."""
        self._process.send_signal(number)

    def children(self) -> list[psutil.Process]:
        """The processes that it has started, oldest first."""
        with suppress(psutil.NoSuchProcess):
            return sorted(psutil.Process(self.pid).children(), key=lambda child: child.pid)
        return []

    def close(self) -> None:
        """Ask it to end, and wait until it has."""
        self.send_signal(signal.SIGCONT)
        self.end(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
