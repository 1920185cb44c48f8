"""One of our own processes, such as the handler."""

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
"""Seconds to wait for what a dead process left: longer would be for a zombie that nobody looks after."""


class Process:
    """`python -m entrypoints.<module>`, in a group of its own: Ctrl-C reaches it when we pass it on.

    It has the reading end of our lifeline, and a pipe to say in that it is ready.
    """

    def __init__(self, name: str, module: str, environment: Mapping[str, str], lifeline: int) -> None:
        self.name = name
        self.ready = threading.Event()
        self._command = [sys.executable, "-m", f"entrypoints.{module}"]
        self._environment = environment
        self._lifeline = lifeline
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. It is not running."""
        listening, telling = os.pipe()
        descriptors = {"LIFELINE_FD": str(self._lifeline), "READY_FD": str(telling)}
        threading.Thread(target=self._listen, args=(listening,), daemon=True).start()
        try:
            self._process = subprocess.Popen(
                self._command,
                env={**self._environment, **descriptors},
                stdin=subprocess.DEVNULL,
                pass_fds=(self._lifeline, telling),
                start_new_session=True,
            )
        finally:
            os.close(telling)

    def wait(self) -> int:
        """Block until it has ended, and nothing of its group is left. Its exit status, or minus the signal's number."""
        assert self._process
        status = self._process.wait()
        # Its children may outlive it, and hold what its next life needs, such as the port.
        until = time.monotonic() + LEFTOVER_SECONDS
        while self.kill() and time.monotonic() < until:
            time.sleep(0.01)
        return status

    def end(self) -> None:
        """Ask it to end; it takes its time."""
        if self._process:
            self._process.terminate()

    def kill(self) -> bool:
        """End it and all that is in its group, now; whether there was anything."""
        if self._process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
                return True
        return False

    def _listen(self, descriptor: int) -> None:
        with open(descriptor) as pipe:
            if pipe.readline():
                self.ready.set()
