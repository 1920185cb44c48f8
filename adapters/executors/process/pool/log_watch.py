"""How a supervisor keeps the log of a child small while a run goes on printing into it."""

from collections.abc import Callable

from adapters.executors.process.ipc.log import Log
from adapters.executors.process.pool.event_loop import EventLoop

CHECK_SECONDS = 0.1
"""Seconds between two looks at a run that prints little."""
HURRIED_CHECK_SECONDS = 0.01
"""The same for one that prints much: a program can write some gigabytes a second."""


class LogWatch:
    """Looks at the log while runs go on, and costs nothing while there are none."""

    def __init__(self, log: Log, loop: EventLoop, goes_on: Callable[[], bool]) -> None:
        self._log, self._loop, self._goes_on = log, loop, goes_on
        self._is_looking = False

    def begin(self) -> None:
        """A run goes on."""
        if not self._is_looking:
            self._is_looking = True
            self._loop.later(CHECK_SECONDS, self._look)

    def _look(self) -> None:
        self._is_looking = self._goes_on()
        if self._is_looking:
            self._loop.later(HURRIED_CHECK_SECONDS if self._log.free() else CHECK_SECONDS, self._look)
