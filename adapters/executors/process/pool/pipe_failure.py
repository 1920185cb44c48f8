"""Failure of the pipe of a child: the child cannot report any more, and the runs that have begun there have crashed."""

from collections.abc import Callable

from adapters.executors.functions.failures import crashed
from adapters.executors.process.pool.run_queue import RunQueue
from adapters.executors.process.pool.slot_state import SlotLifecycle, SlotVerb
from adapters.executors.process.pool.start_watch import StartWatch

BROKEN = "something else wrote into the pipe between its process and the handler"
CLOSED = "its process closed the pipe to the handler"


class PipeFailure:
    """Gives a child up, with its runs.

    - `take_back`: takes back the runs that the child has not received.
    - `kill`: kills the child.
    """

    def __init__(
        self,
        lifecycle: SlotLifecycle,
        queue: RunQueue,
        start_watch: StartWatch,
        take_back: Callable[[], None],
        kill: Callable[[], None],
    ) -> None:
        self._lifecycle, self._queue, self._start_watch = lifecycle, queue, start_watch
        self._take_back, self._kill = take_back, kill

    def give_up_broken(self) -> None:
        """Give up a child whose pipe holds something else than frames."""
        self._take_back()
        for run in self._queue.runs:  # the end of any of them may be in the unreadable part
            run.has_begun = True
        self._give_up(BROKEN)

    def give_up_closed(self) -> None:
        """Give up a child whose pipe has ended, unless it is dead or was killed since."""
        self._give_up(CLOSED)

    def _give_up(self, reason: str) -> None:
        if self._lifecycle.allows(SlotVerb.STOP):
            self._start_watch.look()
            for run in self._queue.runs:
                run.ended = run.ended or (crashed(reason) if run.has_begun else None)
            self._kill()
