"""The executor over child processes."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from adapters.executors.process.dispatch import Dispatch
from adapters.executors.process.loop import Loop
from adapters.executors.process.place import Place
from adapters.executors.process.supervised import ROOT, Supervised
from application.ports.executor import Event, Run
from domain.failure import Failure
from domain.ids import Hold


class ProcessExecutor:
    """Runs the functions of these files and modules, in as many children as `concurrency` says.

    A relative file is looked for in `directory`, which is the root of the checkout unless given. The children die with
    the thread that opened it.
    """

    def __init__(self, tasks: Sequence[str], concurrency: int, directory: Path = ROOT) -> None:
        self._loop = Loop()
        self._dispatch = Dispatch()
        child = partial(Supervised, tasks, directory)
        self._places = [Place(child, self._loop, self._dispatch) for _ in range(concurrency)]

    @property
    def concurrency(self) -> int:
        """The number of children."""
        return len(self._places)

    @property
    def free(self) -> int:
        """The number of children that wait for a run."""
        return self._dispatch.free

    def open(self) -> None:
        """Start the children. The first to be ready describes the functions."""
        for place in self._places:
            place.open()

    def start(self, run: Run) -> None:
        """Hand it to a child."""
        self._dispatch.start(run)

    def end(self, hold: Hold, failure: Failure) -> None:
        """Kill the child that runs it; half a second later if its function can see that it should stop."""
        self._dispatch.end(hold, failure)

    def events(self, timeout: float) -> Sequence[Event]:
        """What the children have said, and what became of them."""
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
