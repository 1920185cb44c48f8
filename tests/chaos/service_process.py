"""A process of the service under test: when it has ended, another one replaces it."""

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

from tests.chaos.proxies import Proxy
from tests.conftest import ROOT

MAX_STOP_SECONDS = 20.0


class ServiceProcess:
    """The process that runs `module` now. Every replacement has a name of its own, which the change log records.

    - `role`: the part of the name that all replacements share.
    - `name`: the name of the present process, or of the last one.
    - `pids`: the pids of all replacements so far, by name.
    """

    def __init__(
        self, role: str, module: str, proxy: Proxy, url: str, environment: Mapping[str, str], logs: Path
    ) -> None:
        self.role, self.proxy = role, proxy
        self._module, self._url, self._environment, self._logs = module, url, environment, logs
        self._numbers = count(1)
        self._may_end = False
        self._replace_at = 0.0
        self.pids: dict[str, int] = {}
        self.start()

    @property
    def pid(self) -> int:
        """The pid of the present process, or of the last one."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether a process runs now."""
        return self._process.poll() is None

    def start(self) -> None:
        """Start a process under a new name."""
        self.name = f"{self.role}.{next(self._numbers)}"
        url = f"{self._url}?application_name={self.name}&port={self.proxy.port}"
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

    def replace_if_ended(self) -> str | None:
        """Replace an ended process when its time has come. A sentence where it had no reason to end."""
        if self.is_alive:
            return None
        exit_code = self._process.returncode
        unexpected_exit = None if self._may_end else f"{self.name} ended by itself with exit code {exit_code}"
        if time.monotonic() >= self._replace_at:
            self.start()
        return unexpected_exit

    def end(self, how: signal.Signals, seconds_away: float = 0.0) -> None:
        """End the process by that signal; it is replaced that many seconds later at the earliest."""
        self._may_end = True
        self._replace_at = time.monotonic() + seconds_away
        self._process.send_signal(how)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        self._process.send_signal(number)

    def children(self) -> list[psutil.Process]:
        """The processes that it has started, oldest first."""
        with suppress(psutil.NoSuchProcess):
            return sorted(psutil.Process(self.pid).children(), key=lambda child: child.pid)
        return []

    def close(self) -> None:
        """Ask the process to end, and wait until it has ended; kill it where that takes too long."""
        self.send_signal(signal.SIGCONT)
        self.end(signal.SIGTERM)
        try:
            self._process.wait(MAX_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
