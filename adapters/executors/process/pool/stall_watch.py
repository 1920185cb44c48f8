"""Detection of stalls: a run that was expected to be short turns out long while others stand behind it."""

from collections.abc import Callable

from adapters.executors.process.pool.event_loop import EventLoop, Timer
from adapters.executors.process.pool.run_queue import SHORT_RUN_SECONDS, RunQueue
from adapters.executors.process.pool.slot_state import OVERLOADABLE, SlotLifecycle

STALL_SECONDS = 0.01
"""Seconds, at least, after which a run that was expected to be short counts as long, and no run is queued behind it."""
STALL_FACTOR = 2
"""The same as a multiple of the time that the run was expected to take."""


class StallWatch:
    """Looks at the first run of a queue while others may stand behind it. Stalled: it is the same at two looks."""

    def __init__(
        self, loop: EventLoop, queue: RunQueue, lifecycle: SlotLifecycle, on_stall: Callable[[], None]
    ) -> None:
        self._queue, self._lifecycle, self._on_stall = queue, lifecycle, on_stall
        self._timer = Timer(loop, self._look)
        self._last_seen = 0

    def begin(self) -> None:
        """Watch the first run, if it is expected to be short. Before: there is a run."""
        if self._timer.is_set or self._lifecycle.state not in OVERLOADABLE:
            return
        seconds = self._queue.runs[0].seconds
        if seconds < SHORT_RUN_SECONDS:
            self._timer.set(max(STALL_SECONDS, STALL_FACTOR * seconds))

    def _look(self) -> None:
        if not self._queue.runs:
            return
        first = self._queue.runs[0].number
        if first == self._last_seen:
            self._on_stall()
        self._last_seen = first
        if self._queue.runs:
            self.begin()
