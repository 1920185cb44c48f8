"""Finish the batches of which this handler has settled the last task."""

from collections.abc import Sequence
from math import inf

from application.ports.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from application.use_cases.finish_batches import FinishBatches
from domain.batch import Batch


class FinishEndedBatches:
    """Due as soon as a task of a batch has ended. Tasks without a batch cost nothing.

    A janitor finds those that are lost with this process.
    """

    def __init__(self, context: Context, finish: FinishBatches) -> None:
        self._state = context.state
        self._finish = finish

    def due_in(self) -> float:
        return 0 if self._state.ended_batches else inf

    def send(self, runner: BackgroundRunner) -> None:
        ended = self._state.ended_batches
        self._state.ended_batches = set()
        runner.submit(lambda: self._finish(ended), _ignore)


def _ignore(_: Sequence[Batch]) -> None:
    """Nothing of the state depends on it."""
