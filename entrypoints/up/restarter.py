"""Restart a part of the service when it ends: at once, then after ever longer pauses, until it is stopped."""

import signal
import threading
import time
from collections.abc import Callable
from typing import Protocol

from entrypoints.up.process import CONFIGURATION_EXIT_CODE
from entrypoints.up.terminal import print_line

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 10.0
STABLE_SECONDS = 30.0
"""Seconds of running after which the pauses start over with the first."""


class Restartable(Protocol):
    """A part of the service that can be started again when it has ended."""

    name: str

    @property
    def has_been_ready(self) -> bool:
        """Whether its configuration was once right. What is wrong since then may be mended while it is tried again."""
        ...

    def start(self) -> None:
        """Start it. Raises RuntimeError or OSError: it cannot start."""
        ...

    def wait(self) -> int | None:
        """Block until it has ended. Its exit status, or minus a signal's number; None where neither is known."""
        ...

    def end(self) -> None:
        """Ask it to end."""
        ...

    def drain(self) -> None:
        """Ask it to finish what it does, however long that takes, and then to end."""
        ...

    def kill(self) -> object:
        """End it at once."""
        ...


class Restarter(threading.Thread):
    """The thread that restarts a part.

    - `on_wrong_configuration`: called with a sentence when the part ended because its configuration is wrong, which
      a restart would not change.
    """

    def __init__(self, part: Restartable, on_wrong_configuration: Callable[[str], None]) -> None:
        super().__init__(name=f"restarter of {part.name}", daemon=True)
        self.part = part
        self._on_wrong_configuration = on_wrong_configuration
        self._stopping = threading.Event()
        self._mutex = threading.Lock()

    def run(self) -> None:
        """Run the part, again and again, until `stop`."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            started_at = time.monotonic()
            how_it_ended, is_misconfigured = self._run_once()
            if self._stopping.is_set():
                return
            if is_misconfigured:
                self._on_wrong_configuration(
                    f"{self.part.name} cannot run with this configuration; its message above says what is wrong"
                )
                return
            pause = FIRST_PAUSE_SECONDS if time.monotonic() - started_at > STABLE_SECONDS else pause
            print_line(f"{self.part.name} {how_it_ended}; starting it again")
            self._stopping.wait(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    def stop(self) -> None:
        """Ask the part to end, and do not start it again. Join the thread to wait until it has ended."""
        self._ask_to_end(self.part.end)

    def drain(self) -> None:
        """Ask the part to finish what it does and then to end, and do not start it again."""
        self._ask_to_end(self.part.drain)

    def _ask_to_end(self, ask: Callable[[], None]) -> None:
        with self._mutex:
            self._stopping.set()
            if self.is_alive():
                ask()

    def _run_once(self) -> tuple[str, bool]:
        """Run the part until it ends: how it ended, and whether its configuration is wrong."""
        try:
            with self._mutex:
                if self._stopping.is_set():
                    return "has stopped", False
                self.part.start()
        except (RuntimeError, OSError) as error:
            return f"does not start: {error}", False
        status = self.part.wait()
        return _ending(status), status == CONFIGURATION_EXIT_CODE and not self.part.has_been_ready


def _ending(status: int | None) -> str:
    if status is None:
        return "has ended"
    return f"has ended: {signal.strsignal(-status)}" if status < 0 else f"has ended with status {status}"
