"""The executor over child processes."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from adapters.executors.process.pool.child_process import ROOT, ChildProcess
from adapters.executors.process.pool.dispatcher import Dispatcher
from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.limits import UNLIMITED, Limits
from adapters.executors.process.pool.slot import Slot
from application.ports.executor import Event, Run
from domain.failure import Failure
from domain.ids import Hold

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 10.0
"""Seconds before a child is replaced that died without having run anything: twice as many each time."""


class ProcessExecutor:
    """Runs the functions of these files and modules, in as many children as `concurrency` says.

    A relative file is looked for in `directory`, which is the root of the checkout unless given. The children die with
    the thread that opened it.
    """

    def __init__(
        self, tasks: Sequence[str], concurrency: int, directory: Path = ROOT, limits: Limits = UNLIMITED
    ) -> None:
        self._tasks, self._concurrency, self._directory, self._limits = tasks, concurrency, directory, limits
        self._loop = EventLoop()
        self._dispatch = Dispatcher(self._replace)
        self._places: dict[Slot, float] = {}

    @property
    def concurrency(self) -> int:
        """The number of children."""
        return self._concurrency

    @property
    def free(self) -> int:
        """One for a child that waits or is at a short run, more for one whose runs are all very short."""
        return self._dispatch.free

    def open(self) -> None:
        """Start the children. The first to be ready describes the functions."""
        for _ in range(self._concurrency):
            self._add(FIRST_PAUSE_SECONDS)

    def start(self, run: Run) -> None:
        """Hand it to a child."""
        self._dispatch.start(run)

    def end(self, hold: Hold, failure: Failure) -> None:
        """Kill the child that runs it; half a second later if its function can see that it should stop."""
        self._dispatch.end(hold, failure)

    def recall(self) -> Sequence[Hold]:
        """Those that were behind one that turned out long, and for which no other child has room."""
        return self._dispatch.recall()

    def events(self, timeout: float) -> Sequence[Event]:
        """What the children have said, and what became of them."""
        self._dispatch.even_out()
        self._loop.turn(0 if self._dispatch.has_news else timeout)
        return self._dispatch.news()

    def wake(self) -> None:
        """From any thread."""
        self._loop.wake()

    def close(self) -> None:
        """Kill the children."""
        for place in self._places:
            place.close()
        self._loop.close()

    def _add(self, pause: float) -> None:
        child = ChildProcess(self._tasks, self._directory, self._limits.runs)
        self._places[Slot(child, self._loop, self._dispatch, self._limits.memory)] = pause

    def _replace(self, place: Slot) -> None:
        pause = self._places.pop(place)
        if place.has_ended_a_run:
            self._loop.later(0, partial(self._try_to_add, FIRST_PAUSE_SECONDS))
        else:
            self._loop.later(pause, partial(self._try_to_add, min(2 * pause, MAX_PAUSE_SECONDS)))

    def _try_to_add(self, pause: float) -> None:
        try:
            self._add(pause)
        except OSError:  # no memory, no descriptor or no process to be had now
            self._loop.later(pause, partial(self._try_to_add, min(2 * pause, MAX_PAUSE_SECONDS)))
