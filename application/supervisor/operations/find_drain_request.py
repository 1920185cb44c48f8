"""Find out whether an operator has asked this handler to stop."""

from math import inf

from application.ports.background import BackgroundRunner
from application.ports.monitoring import DrainRequest
from application.ports.pending_work import PendingWork
from application.ports.wake_up import Topic
from application.supervisor.operations.operation import Context

DRAIN_POLL_SECONDS = 0.8
"""Seconds between two looks for a request."""


class FindDrainRequest:
    """Due while the handler is known and no request has bounded its stop: at once when notified, and by polling."""

    def __init__(self, context: Context, pending: PendingWork) -> None:
        self._state = context.state
        self._handler = context.identity.handler
        self._pending = pending
        self._timer = context.timer()

    def due_in(self) -> float:
        if not self._state.published or self._state.drain_request is DrainRequest.GRACE:
            return inf
        return 0 if Topic.DRAIN in self._state.notified_topics else self._timer.due_in()

    def send(self, runner: BackgroundRunner) -> None:
        self._state.notified_topics.discard(Topic.DRAIN)
        self._timer.set(DRAIN_POLL_SECONDS)
        runner.submit(lambda: self._pending.drain_request(self._handler), self._on_answer)

    def _on_answer(self, request: DrainRequest | None) -> None:
        self._state.drain_request = request or self._state.drain_request
