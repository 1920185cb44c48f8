"""The executor that runs functions in a pool of child processes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from adapters.executors.process.ipc.prctl import adopt_orphans
from adapters.executors.process.pool.child_limits import UNLIMITED, Limits
from adapters.executors.process.pool.dispatcher import Dispatcher
from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.slot_pool import SlotPool
from adapters.executors.process.pool.spawn import ROOT
from application.ports.executor import Event, Run
from domain.failure import Failure
from domain.ids import Hold


class ProcessExecutor:
    """Runs the functions of these files and modules, in as many children as `concurrency` says.

    A relative file is looked for in `directory`, by default the root of the checkout. The children die with the thread
    that opened the executor.
    """

    def __init__(
        self, tasks: Sequence[str], concurrency: int, directory: Path = ROOT, limits: Limits = UNLIMITED
    ) -> None:
        self._concurrency = concurrency
        self._loop = EventLoop()
        self._pool = SlotPool(tasks, directory, concurrency, limits, self._loop)
        self._dispatcher = Dispatcher(self._pool.replace, self._pool.prepare, self._pool.succeed)

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
        self._pool.open(self._dispatcher)

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
        self._pool.drop_needless()
        self._loop.run_once(0 if self._dispatcher.has_events else timeout)
        return self._dispatcher.take_events()

    def wake(self) -> None:
        """End the wait of `events`. From any thread."""
        self._loop.wake()

    def close(self, seconds_left: Callable[[], float] = lambda: 0.0) -> None:
        """Let the children end in order while there is time, and kill them."""
        self._pool.close(seconds_left)
        self._loop.close()
