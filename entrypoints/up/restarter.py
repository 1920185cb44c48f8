"""Keeps something running: started again when it ends, at once and then ever later, until it is told to stop."""

import signal
import threading
import time
from collections.abc import Callable
from typing import Protocol

from entrypoints.up.process import CONFIGURATION_EXIT_CODE
from entrypoints.up.terminal import say

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 10.0
STABLE_SECONDS = 30.0
"""Seconds after which a life counts as a good one, and the pauses begin again."""


class Part(Protocol):
    """What can be kept running."""

    name: str

    def start(self) -> None:
        """Start it; RuntimeError or OSError where that cannot be."""
        ...

    def wait(self) -> int | None:
        """Block until it has ended; its exit status, or minus the number of a signal, where that is known."""
        ...

    def end(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> object:
        """End it now."""
        ...


class Restarter(threading.Thread):
    """The thread that keeps a part running. `give_up` is told the sentence when its configuration is wrong."""

    def __init__(self, part: Part, give_up: Callable[[str], None]) -> None:
        super().__init__(name=f"keep {part.name}", daemon=True)
        self.part = part
        self._give_up = give_up
        self._stopping = threading.Event()
        self._mutex = threading.Lock()

    def run(self) -> None:
        """Until stop()."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            born = time.monotonic()
            how, hopeless = self._live()
            if self._stopping.is_set():
                return
            if hopeless:
                self._give_up(f"{self.part.name} cannot run like this")
                return
            pause = FIRST_PAUSE_SECONDS if time.monotonic() - born > STABLE_SECONDS else pause
            say(f"{self.part.name} {how}; starting it again")
            self._stopping.wait(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    def stop(self) -> None:
        """Ask the part to end, and leave it so. Join the thread to wait until it has."""
        with self._mutex:
            self._stopping.set()
            if self.is_alive():
                self.part.end()

    def _live(self) -> tuple[str, bool]:
        """One life of the part: how it ended, and whether the next would end so too."""
        try:
            with self._mutex:
                if self._stopping.is_set():
                    return "stopped", False
                self.part.start()
        except (RuntimeError, OSError) as error:
            return f"does not start: {error}", False
        status = self.part.wait()
        return _how(status), status == CONFIGURATION_EXIT_CODE


def _how(status: int | None) -> str:
    if status is None:
        return "has ended"
    return f"has ended: {signal.strsignal(-status)}" if status < 0 else f"has ended with status {status}"
