"""Carries out a stop: takes the run back from its child, asks a function that checks, or kills the child."""

from collections.abc import Callable
from functools import partial

from adapters.executors.functions.failures import out_of_memory
from adapters.executors.process.ipc.shared_page import SharedPage
from adapters.executors.process.pool.dispatched_run import DispatchedRun
from adapters.executors.process.pool.event_loop import EventLoop
from adapters.executors.process.pool.pipe_reader import PipeReader
from adapters.executors.process.pool.run_queue import RunQueue
from adapters.executors.process.pool.start_watch import StartWatch
from domain.failure import Failure
from domain.ids import Hold

CANCEL_GRACE_SECONDS = 0.5
"""Seconds that a function has to clean up, if it can see that it should stop."""


class RunStopper:
    """Stops runs of one queue.

    - `take_back`: takes back the runs that the child has not received.
    - `kill`: kills the child.
    """

    def __init__(
        self,
        page: SharedPage,
        loop: EventLoop,
        queue: RunQueue,
        start_watch: StartWatch,
        reader: PipeReader,
        take_back: Callable[[], None],
        kill: Callable[[], None],
    ) -> None:
        self._page, self._loop, self._queue = page, loop, queue
        self._start_watch, self._reader = start_watch, reader
        self._take_back, self._kill = take_back, kill

    def stop(self, hold: Hold, failure: Failure) -> None:
        """Stop that run, unless its outcome has arrived."""
        self._start_watch.look()
        self._reader.read()  # after the look: a run that ended before another one began has reported it by then
        for run in [each for each in self._queue.runs if each.run.hold == hold and each.ended is None]:
            run.ended = failure
            self._take_back()
            if run in self._queue.runs:
                self._stop_received(run)

    def stop_excess(self, limit: int) -> None:
        """Stop the first run: its process has more in memory than the limit."""
        self._reader.read()
        for run in list(self._queue.runs)[:1]:
            reason = f"the process that ran it had more in memory than the {limit // 2**20} MiB of CHILD_MEMORY"
            self.stop(run.run.hold, out_of_memory(reason))

    def _stop_received(self, run: DispatchedRun) -> None:
        if run.is_attentive:
            self._page.cancel(run.number)
            self._loop.call_later(CANCEL_GRACE_SECONDS, partial(self._end_grace, run))
        else:
            self._kill()

    def _end_grace(self, run: DispatchedRun) -> None:
        if run in self._queue.runs:
            self._kill()
