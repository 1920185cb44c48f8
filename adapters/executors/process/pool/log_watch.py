"""Keeps the log of a child small while a run goes on printing into it."""

from collections.abc import Callable

from adapters.executors.process.ipc.log import Log
from adapters.executors.process.pool.event_loop import EventLoop, Timer

CHECK_SECONDS = 0.1
"""Seconds between two looks at a run that prints little."""
HURRIED_CHECK_SECONDS = 0.01
"""Seconds between two looks at a run that prints much: a program can write some gigabytes a second."""


class LogWatch:
    """Looks at the log while runs go on, and costs nothing while there are none."""

    def __init__(self, log: Log, loop: EventLoop, has_runs: Callable[[], bool]) -> None:
        self._log, self._has_runs = log, has_runs
        self._timer = Timer(loop, self._look)

    def begin(self) -> None:
        """Watch the run that was added to an empty queue."""
        if not self._timer.is_set:
            self._timer.set(CHECK_SECONDS)

    def _look(self) -> None:
        if self._has_runs():
            self._timer.set(HURRIED_CHECK_SECONDS if self._log.free() else CHECK_SECONDS)
