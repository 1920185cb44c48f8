"""The correspondence of a supervisor with the storage: one errand at a time, by turns."""

from collections.abc import Sequence
from math import inf

from application.supervisor.background import BackgroundRunner
from application.supervisor.operations.operation import Operation
from application.supervisor.state import SupervisorState


class Lane:
    """Sends whatever is due. Who was sent comes last the next time, so that none can hold up the others for ever."""

    def __init__(self, state: SupervisorState, runner: BackgroundRunner, operations: Sequence[Operation]) -> None:
        self._state = state
        self._runner = runner
        self._operations = list(operations)

    @property
    def is_drained(self) -> bool:
        """Whether nothing is on its way, and nothing is left to say."""
        return self._runner.is_idle and self._state.is_empty and not self._state.published

    def due_in(self) -> float:
        """Seconds until something can be sent; inf while an errand is on its way."""
        return min(operation.due_in() for operation in self._operations) if self._runner.is_idle else inf

    def exchange(self) -> None:
        """Take the answer that has come, and send the next errand that is due."""
        self._runner.deliver()
        if not self._runner.is_idle:
            return
        for operation in self._operations:
            if operation.due_in() <= 0:
                operation.send(self._runner)
                self._operations.remove(operation)
                self._operations.append(operation)
                return
