"""A process of the service, such as the handler."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

CONFIGURATION_EXIT_CODE = 2
LEFTOVER_SECONDS = 2.0
"""Seconds to wait for the group of a dead process to end; a process that is left after them is a zombie that stays."""


class Process:
    """`python -m entrypoints.<module>` in a process group of its own: Ctrl-C at the terminal does not reach it.

    - `lifeline`: the reading end of a pipe that closes when this process ends; the child then ends too.
    - `ready`: set when the child has reported through a pipe that it is ready.
    """

    def __init__(self, name: str, module: str, environment: Mapping[str, str], lifeline: int) -> None:
        self.name = name
        self.ready = threading.Event()
        self._command = [sys.executable, "-m", f"entrypoints.{module}"]
        self._environment = environment
        self._lifeline = lifeline
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def has_been_ready(self) -> bool:
        """Whether it was ready once."""
        return self.ready.is_set()

    def start(self) -> None:
        """Start the process, which must not be running."""
        ready_reader, ready_writer = os.pipe()
        descriptors = {"LIFELINE_FD": str(self._lifeline), "READY_FD": str(ready_writer)}
        threading.Thread(target=self._await_ready, args=(ready_reader,), daemon=True).start()
        try:
            self._process = subprocess.Popen(
                self._command,
                env={**self._environment, **descriptors},
                stdin=subprocess.DEVNULL,
                pass_fds=(self._lifeline, ready_writer),
                start_new_session=True,
            )
        finally:
            os.close(ready_writer)

    def wait(self) -> int:
        """Block until the process and its group have ended. Its exit status, or minus the signal's number."""
        assert self._process
        status = self._process.wait()
        # Children that outlive it may hold what the next process needs, such as the port.
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while self.kill() and time.monotonic() < deadline:
            time.sleep(0.01)
        return status

    def end(self) -> None:
        """Ask the process to end, without waiting for it."""
        if self._process:
            self._process.terminate()

    def drain(self) -> None:
        """Ask the process, a handler, to finish what it runs and then to end, without waiting for it."""
        if self._process:
            self._process.send_signal(signal.SIGUSR1)

    def kill(self) -> bool:
        """Kill the process and its group. Whether there was any to kill."""
        if self._process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
                return True
        return False

    def _await_ready(self, descriptor: int) -> None:
        with open(descriptor) as pipe:
            if pipe.readline():
                self.ready.set()
