"""The queue of one child: the runs that it was handed, and how many more may stand behind them."""

from collections import deque
from collections.abc import Container

from adapters.executors.process.pool.dispatched_run import DispatchedRun

QUEUE_SECONDS = 0.005
"""Seconds of work queued for a child, so that it need not wait for the supervisor between two runs."""
MAX_QUEUED_RUNS = 128
"""Runs that may be queued for a child."""
SHORT_RUN_SECONDS = 0.05
"""A run that is expected to take fewer seconds may have one run queued behind it, however long that one takes."""


class RunQueue:
    """Runs that have not ended, in the order in which their child receives them.

    - `runs`: the first one goes on, or is about to.
    - `seconds`: how long they are expected to take together.
    - `ended_count`: how many runs have ended here.
    """

    def __init__(self) -> None:
        self.runs: deque[DispatchedRun] = deque()
        self.seconds = 0.0
        self.ended_count = 0

    @property
    def capacity(self) -> int:
        """How many runs may be added: one to an empty queue, more behind runs that are expected to be short."""
        if not self.runs:
            return 1
        if self.seconds < QUEUE_SECONDS:
            return MAX_QUEUED_RUNS - len(self.runs)
        return 1 if len(self.runs) == 1 and self.seconds < SHORT_RUN_SECONDS else 0

    @property
    def is_overloaded(self) -> bool:
        """Whether an idle child would begin a run sooner that stands behind others here."""
        return len(self.runs) > 1 and self.seconds >= QUEUE_SECONDS

    def append(self, run: DispatchedRun) -> None:
        """Add a run at the end."""
        self.runs.append(run)
        self.seconds += run.seconds

    def end(self, run: DispatchedRun) -> None:
        """Remove a run that has ended. It is the first one, unless the child has died."""
        self.runs.remove(run)
        self.seconds = self.seconds - run.seconds if self.runs else 0.0
        self.ended_count += 1

    def remove(self, numbers: Container[int]) -> list[DispatchedRun]:
        """Remove the runs with these numbers, and answer them."""
        removed = [each for each in self.runs if each.number in numbers]
        self.runs = deque(each for each in self.runs if each.number not in numbers)
        self.seconds = sum(each.seconds for each in self.runs)
        return removed

    def clear(self) -> list[DispatchedRun]:
        """Remove all runs, and answer them."""
        removed = list(self.runs)
        self.runs.clear()
        self.seconds = 0.0
        return removed
