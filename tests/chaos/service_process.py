"""A process of the service under test: when it has ended, another one replaces it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

import psutil

from tests.chaos.log_pipe import LogPipe
from tests.chaos.machine import NAMESPACES
from tests.chaos.proxies import Proxy
from tests.chaos.runs import NAMESPACED_HOST
from tests.conftest import ROOT

MAX_STOP_SECONDS = 20.0


class ServiceProcess:
    """The process that runs `module` now. Every replacement has a name of its own, which the change log records.

    - `role`: the part of the name that all replacements share.
    - `name`: the name of the present process, or of the last one.
    - `pids`: the pids of all replacements so far, by name.
    - `has_namespaces`: whether it runs in namespaces of its own, in which no other process sees its end.
    """

    def __init__(
        self,
        role: str,
        module: str,
        proxy: Proxy,
        url: str,
        environment: Mapping[str, str],
        logs: Path,
        *,
        has_namespaces: bool = False,
    ) -> None:
        self.role, self.proxy, self.has_namespaces = role, proxy, has_namespaces
        self._module, self._url, self._environment, self._logs = module, url, environment, logs
        self._numbers = count(1)
        self._may_end = False
        self._replace_at = 0.0
        self.pids: dict[str, int] = {}
        self.start()

    @property
    def pid(self) -> int:
        """The pid of the present process, or of the last one; with namespaces that of the process which made them."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether a process runs now."""
        return self._process.poll() is None

    def start(self) -> None:
        """Start a process under a new name."""
        self.name = f"{self.role}.{next(self._numbers)}"
        url = f"{self._url}?application_name={self.name}&port={self.proxy.port}"
        self.log = LogPipe(self._logs / f"{self.name}.log")
        self._process = subprocess.Popen(
            [*(_own_namespaces() if self.has_namespaces else ()), sys.executable, "-m", self._module],
            cwd=ROOT,
            env={**os.environ, **self._environment, "DATABASE_URL": url},
            stdout=self.log.input,
            stderr=subprocess.STDOUT,
        )
        self.log.close_input()
        self._may_end = False
        self.pids[self.name] = self.pid

    def replace_if_ended(self, killed: Container[int] = ()) -> str | None:
        """Replace an ended process when its time has come. A sentence where it had no reason to end.

        `killed`: the pids of the processes that were killed by functions.
        """
        if self.is_alive:
            return None
        exit_code = self._process.returncode
        may_end = self._may_end or self.pid in killed
        unexpected_exit = None if may_end else f"{self.name} ended by itself with exit code {exit_code}"
        if time.monotonic() >= self._replace_at:
            self.start()
        return unexpected_exit

    def end(self, how: signal.Signals, seconds_away: float = 0.0) -> None:
        """End the process by that signal; it is replaced that many seconds later at the earliest."""
        self._may_end = True
        self._replace_at = time.monotonic() + seconds_away
        self.send_signal(how)

    def end_with_descendants(self, seconds_away: float) -> None:
        """SIGKILL the process and everything that it has started, as the kernel does with a container."""
        self._may_end = True
        self._replace_at = time.monotonic() + seconds_away
        for process in self.descendants():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._end_beginning()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        with suppress(psutil.NoSuchProcess):
            if process := self.process():
                process.send_signal(number)
        if number == signal.SIGKILL:
            self._end_beginning()

    def _end_beginning(self) -> None:
        """Kill the process that makes the namespaces, if that has not come to its end."""
        if self.is_alive and self.process() is None:
            self._process.kill()

    def process(self) -> psutil.Process | None:
        """The process that runs the module; None if none does."""
        if not self.is_alive:
            return None
        outer = psutil.Process(self.pid)
        return next(iter(outer.children()), None) if self.has_namespaces else outer

    def children(self) -> list[psutil.Process]:
        """The processes that it has started, oldest first."""
        with suppress(psutil.NoSuchProcess):
            if process := self.process():
                return sorted(process.children(), key=lambda child: child.pid)
        return []

    def descendants(self) -> list[psutil.Process]:
        """The process and everything that it and its descendants have started."""
        with suppress(psutil.NoSuchProcess):
            if process := self.process():
                return [process, *process.children(recursive=True)]
        return []

    def close(self) -> None:
        """Ask the process to end, and wait until it has ended; kill it where that takes too long."""
        self.log.read_on()
        self.send_signal(signal.SIGCONT)
        self.end(signal.SIGTERM)
        try:
            self._process.wait(MAX_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _own_namespaces() -> Sequence[str]:
    """The command before another one that gives it namespaces of its own, and their host the pid that it has here."""
    name_host = f'hostname "{NAMESPACED_HOST}$0"; exec "$@"'
    return ["/bin/sh", "-c", f"exec {' '.join(NAMESPACES)} /bin/sh -c '{name_host}' $$ \"$@\"", "sh"]
