"""Find the tasks that this handler knows as its own and holds no more: cancelled, taken back or deleted meanwhile."""

from collections.abc import Sequence
from math import inf

from application.ports.background import BackgroundRunner
from application.ports.wake_up import Topic
from application.supervisor.operations.operation import Context
from domain.ids import Hold

LOST_POLL_SECONDS = 0.4
"""Seconds between two polls for lost tasks."""


class FindLost:
    """Due while any task is claimed or unstorable: at once after a notification, and by polling."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state
        self._timer = context.timer()

    def due_in(self) -> float:
        if not (self._state.claimed_tasks or self._state.unstorable):
            return inf
        return 0 if Topic.TAKEN in self._state.notified_topics else self._timer.due_in()

    def send(self, runner: BackgroundRunner) -> None:
        holds = self._state.holds_that_may_be_lost()
        self._state.notified_topics.discard(Topic.TAKEN)

        def call() -> Sequence[Hold]:
            with self._context.begin() as work:
                return work.queue.lost(holds)

        runner.submit(call, self._on_answer)

    def _on_answer(self, lost: Sequence[Hold]) -> None:
        self._timer.set(LOST_POLL_SECONDS)
        self._state.drop_lost(lost)
