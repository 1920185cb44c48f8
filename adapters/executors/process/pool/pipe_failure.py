"""Failure of the pipe of a child: the child cannot report any more, and the runs that have begun there have crashed."""

from collections.abc import Callable

from adapters.executors.functions.failures import crashed
from adapters.executors.process.pool.run_queue import RunQueue
from adapters.executors.process.pool.slot_state import SlotLifecycle, SlotVerb
from adapters.executors.process.pool.start_watch import StartWatch

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

    def give_up_broken(self, reason: str) -> None:
        """Give up a child whose pipe holds something that makes no sense."""
        self._take_back()
        self._give_up(reason)

    def give_up_closed(self) -> None:
        """Give up a child whose pipe has ended, unless it is dead or was killed since."""
        self._give_up(CLOSED)

    def _give_up(self, reason: str) -> None:
        if self._lifecycle.allows(SlotVerb.STOP):
            self._start_watch.look()
            begun = [each for each in self._queue.runs if each.has_begun]
            for run in begun[:1]:  # the pipe failed during this one, whose outcome would have come next
                run.ended = run.ended or crashed(reason)
            for run in begun[1:]:
                run.is_interrupted = True
            self._kill()
