"""A lane: operations that share one background runner, which makes one call at a time."""

import logging
from collections.abc import Sequence
from math import inf

from application.ports.background import BackgroundRunner
from application.supervisor.operations.operation import Operation
from application.supervisor.state import SupervisorState

log = logging.getLogger(__name__)


class Lane:
    """Sends its operations in turns: the one sent last comes last, so that none can hold up the others for ever."""

    def __init__(self, state: SupervisorState, runner: BackgroundRunner, operations: Sequence[Operation]) -> None:
        self._state = state
        self._runner = runner
        self._operations = list(operations)

    @property
    def is_drained(self) -> bool:
        """Whether no call is under way, and a draining supervisor has nothing left to write."""
        return self._runner.is_idle and self._state.is_empty and not self._state.published

    def close(self) -> None:
        """Give up the call that is under way, if any."""
        self._runner.close()

    def due_in(self) -> float:
        """Seconds until an operation can be sent; inf while a call is under way."""
        return min(operation.due_in() for operation in self._operations) if self._runner.is_idle else inf

    def receive(self) -> None:
        """Take the answer that has come, if any. One that cannot be taken is logged, and ends no supervisor."""
        try:
            self._runner.deliver_result()
        except Exception:
            log.exception("the answer to an operation cannot be taken")

    def send(self) -> None:
        """Send the next operation that is due, if the runner is idle."""
        if not self._runner.is_idle:
            return
        for operation in self._operations:
            if operation.due_in() <= 0:
                operation.send(self._runner)
                self._operations.remove(operation)
                self._operations.append(operation)
                return
