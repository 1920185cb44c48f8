"""Processes that a test starts, stops, and asks for what they have said."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT
from tests.ports import free_port

MAX_END_SECONDS = 20.0
"""Seconds after which a process that was told to stop is killed."""
PROCESSES = ("http", "handler", "janitor", "migrate", "up")


@dataclass(frozen=True)
class End:
    """The end of a process: its exit status, the seconds that it took after the signal, and the output."""

    status: int
    seconds: float
    output: str


@dataclass
class Started:
    """A process that starts, in a folder and a process group of its own."""

    name: str
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("DATABASE_URL")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"entrypoints.{self.name}"],
            cwd=self.folder,
            env={
                **environment,
                "PYTHONPATH": str(ROOT),
                "PORT": str(free_port()),
                "TASKS": str(ROOT / "tasks" / "tasks.py"),
                "HANDLER_CONCURRENCY": "1",
                "GRACE": "60",
                **self.variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def kill(self) -> None:
        """End what is left of it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def end(self) -> End:
        """Wait until it ends by itself."""
        began_at = time.monotonic()
        output, _ = self.process.communicate(timeout=60)
        return End(self.process.returncode, time.monotonic() - began_at, output)

    def stopped_by(self, number: signal.Signals) -> End:
        """Send the signal to the whole group, as a terminal does, or else to the process alone."""
        sent_at = time.monotonic()
        (os.killpg if number is signal.SIGINT else os.kill)(self.process.pid, number)
        try:
            output, _ = self.process.communicate(timeout=MAX_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            output = ""
        return End(self.process.returncode, time.monotonic() - sent_at, output)


Start = Callable[..., Started]
