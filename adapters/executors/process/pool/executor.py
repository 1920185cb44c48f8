"""The executor that runs functions in a pool of child processes."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from adapters.executors.process.ipc.prctl import adopt_orphans
from adapters.executors.process.pool.child_limits import UNLIMITED, Limits
from adapters.executors.process.pool.child_process import ChildProcess
from adapters.executors.process.pool.dispatcher import Dispatcher
from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.slot import Slot
from adapters.executors.process.pool.spawn import ROOT
from application.ports.executor import Event, Run
from domain.failure import Failure
from domain.ids import Hold

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 10.0
"""Seconds before a child is replaced that died without having ended a run: twice as many each time."""


class ProcessExecutor:
    """Runs the functions of these files and modules, in as many children as `concurrency` says.

    A relative file is looked for in `directory`, by default the root of the checkout. The children die with the thread
    that opened the executor.
    """

    def __init__(
        self, tasks: Sequence[str], concurrency: int, directory: Path = ROOT, limits: Limits = UNLIMITED
    ) -> None:
        self._tasks, self._concurrency, self._directory, self._limits = tasks, concurrency, directory, limits
        self._loop = EventLoop()
        self._dispatcher = Dispatcher(self._replace)
        self._pauses: dict[Slot, float] = {}

    @property
    def concurrency(self) -> int:
        """The number of children."""
        return self._concurrency

    @property
    def free(self) -> int:
        """One for a child that is idle or at a short run, more for one whose runs are all very short."""
        return self._dispatcher.free

    def open(self) -> None:
        """Start the children. The first one that is ready describes the functions."""
        adopt_orphans()
        for _ in range(self._concurrency):
            self._add(FIRST_PAUSE_SECONDS)

    def start(self, run: Run) -> None:
        """Hand the run to a child."""
        self._dispatcher.start(run)

    def end(self, hold: Hold, failure: Failure) -> None:
        """Kill the child that runs it; half a second later if its function can see that it should stop."""
        self._dispatcher.end(hold, failure)

    def recall(self) -> Sequence[Hold]:
        """Give up the runs that stood behind a long one, and for which no other child has capacity."""
        return self._dispatcher.recall()

    def events(self, timeout: float) -> Sequence[Event]:
        """Answer what the children have reported, and how they have ended."""
        self._dispatcher.rebalance()
        self._loop.run_once(0 if self._dispatcher.has_events else timeout)
        return self._dispatcher.take_events()

    def wake(self) -> None:
        """End the wait of `events`. From any thread."""
        self._loop.wake()

    def close(self) -> None:
        """Kill the children."""
        for slot in self._pauses:
            slot.close()
        self._loop.close()

    def _add(self, pause: float) -> None:
        child = ChildProcess(self._tasks, self._directory, self._limits.runs)
        self._pauses[Slot(child, self._loop, self._dispatcher, self._limits.memory)] = pause

    def _replace(self, slot: Slot) -> None:
        pause = self._pauses.pop(slot)
        if slot.has_ended_a_run:
            self._loop.call_later(0, partial(self._try_to_add, FIRST_PAUSE_SECONDS))
        else:
            self._try_later(pause)

    def _try_to_add(self, pause: float) -> None:
        try:
            self._add(pause)
        except OSError:  # the system has no memory, descriptor or process to spare now
            self._try_later(pause)

    def _try_later(self, pause: float) -> None:
        self._loop.call_later(pause, partial(self._try_to_add, min(2 * pause, MAX_PAUSE_SECONDS)))
