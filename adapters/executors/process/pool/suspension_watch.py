"""Detection of suspended children: the handler resumes one once, and gives it up if it is suspended again."""

import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from adapters.executors.functions.failures import crashed
from adapters.executors.process.pool.child_process import ChildProcess
from adapters.executors.process.pool.event_loop import EventLoop, Timer
from adapters.executors.process.pool.run_queue import RunQueue
from application.log_lines import keys_of_hold
from domain.failure import Failure
from domain.ids import Hold

LOOK_SECONDS = 1.0
"""Seconds between two looks, and after which a run is looked at first."""
MAX_SUSPENDED_LOOKS = 30
"""Looks that may find the child suspended one after the other: as long as a lease by default."""
STOOD_STILL = crashed("the process that ran it was suspended, and again after the handler had resumed it")
log = logging.getLogger(__name__)


class SuspensionWatch:
    """Looks at a child whose run takes long, and costs next to nothing while all are short.

    `on_stuck` is called with the run of a child that was suspended again.
    """

    def __init__(
        self, child: ChildProcess, loop: EventLoop, queue: RunQueue, on_stuck: Callable[[Hold, Failure], None]
    ) -> None:
        self._child, self._queue, self._on_stuck = child, queue, on_stuck
        self._timer = Timer(loop, self._look)
        self._last_seen = self._resumed = self._looks = 0

    def begin(self) -> None:
        """Watch the child, to which a run was handed."""
        self._timer.set(LOOK_SECONDS)

    def _look(self) -> None:
        if not self._queue.runs:
            return
        first = self._queue.runs[0]
        if first.number == self._last_seen:
            self._looks = self._looks + 1 if is_suspended(self._child.id) else 0
        self._last_seen = first.number
        self._timer.set(LOOK_SECONDS)
        if self._looks == MAX_SUSPENDED_LOOKS:
            self._looks = 0
            self._end_suspension(first.number, first.run.hold)

    def _end_suspension(self, number: int, hold: Hold) -> None:
        if self._resumed == number:
            self._on_stuck(hold, STOOD_STILL)
        else:
            self._resumed = number
            line, extra = "process %d is resumed: it was suspended for long while it ran task %d", keys_of_hold(hold)
            log.warning(line, self._child.id, hold.task, extra=extra)
            self._child.signal(signal.SIGCONT)


def is_suspended(process: int) -> bool:
    """Whether a signal has suspended the process, and no debugger holds it."""
    state = _content(f"/proc/{process}/stat").rpartition(")")[2].strip()[:1]
    return state == "T" or (state == "t" and _is_own(_tracer(process)))


def _is_own(thread: str) -> bool:
    """Whether the tracer is a thread of the handler: a function can make it one, but it is no debugger."""
    return Path("/proc/self/task", thread).exists()


def _tracer(process: int) -> str:
    """The thread that traces the process; 0 if none does, or one of another namespace."""
    return _content(f"/proc/{process}/status").partition("TracerPid:")[2].partition("\n")[0].strip() or "0"


def _content(path: str) -> str:
    with suppress(OSError), open(path, errors="replace") as file:
        return file.read()
    return ""
