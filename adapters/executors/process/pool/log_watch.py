"""Keeps the log of a child small while a run goes on printing into it, and reports its end."""

import time
from collections.abc import Callable

from adapters.executors.process.ipc.log import Log
from adapters.executors.process.pool.dispatched_run import DispatchedRun
from adapters.executors.process.pool.event_loop import EventLoop, Timer
from adapters.executors.process.pool.run_queue import RunQueue
from application.ports.executor import Event, Logged

CHECK_SECONDS = 0.1
"""Seconds between two looks at a run that prints little."""
HURRIED_CHECK_SECONDS = 0.01
"""Seconds between two looks at a run that prints much: a program can write some gigabytes a second."""
REPORT_SECONDS = 0.5
"""Seconds that a run goes on before its output is reported, and between two reports. Most have ended by then, and the
end reports the output."""


class LogWatch:
    """Looks at the log while runs go on, and costs nothing while there are none."""

    def __init__(self, log: Log, loop: EventLoop, queue: RunQueue, on_event: Callable[[Event], None]) -> None:
        self._log, self._queue, self._on_event = log, queue, on_event
        self._timer = Timer(loop, self._look)
        self._number, self._report_at = 0, 0.0

    def begin(self) -> None:
        """Watch the run that was added to an empty queue."""
        if not self._timer.is_set:
            self._timer.set(CHECK_SECONDS)

    def _look(self) -> None:
        if self._queue.runs:
            self._look_at(self._queue.runs[0])
            self._timer.set(HURRIED_CHECK_SECONDS if self._log.free() else CHECK_SECONDS)

    def _look_at(self, run: DispatchedRun) -> None:
        """Report the output of a run that goes on for long enough."""
        now = time.monotonic()
        if run.number != self._number:
            self._number, self._report_at = run.number, now + REPORT_SECONDS - CHECK_SECONDS
        elif now >= self._report_at and run.has_begun and (printed := self._log.peek()):
            self._report_at = now + REPORT_SECONDS
            self._on_event(Logged(run.run.hold, printed.text()))
