"""Release orphans: tasks held in this handler's name that it does not know, since their claim was not answered."""

from collections.abc import Set
from math import inf

from application.ports.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from domain.ids import Hold
from domain.settlement import Settlement

BATCH_TASKS = 1_000
LOCKED_RETRY_SECONDS = 0.5
"""Seconds after which locked orphans are tried again: less than a rescuer waits with a task that it has found free."""


class ReleaseOrphans:
    """Due three times in the lease that follows an unanswered claim, whose commit may arrive late.

    Orphans have not started, and are released as if they had never been claimed. Locked ones are released when their
    locks are gone, however long that takes.

    It shares the lane of the claims: while a claim is under way, this handler does not know yet which tasks it holds.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state
        self._timer = context.timer()

    def due_in(self) -> float:
        since = self._state.clock.monotonic() - self._state.claim_unanswered_at
        return self._timer.due_in() if since < self._context.identity.lease else inf

    def send(self, runner: BackgroundRunner) -> None:
        known_holds = {*self._state.known_holds()}
        self._timer.set(self._context.identity.lease / 3)
        runner.submit(lambda: self._release(known_holds), self._on_answer)

    def _release(self, known_holds: Set[Hold]) -> bool:
        """Release orphans. Whether there are others, which are locked."""
        handler = self._context.identity.handler
        with self._context.begin() as work:
            orphans = work.queue.running_under(handler, BATCH_TASKS, known_holds)
            now = self._state.clock.now()
            work.queue.settle([Settlement.released(orphan, now) for orphan in orphans])
            is_any_left = not known_holds >= {*work.queue.held_by(handler)}
            work.commit()
        return is_any_left

    def _on_answer(self, is_any_left: bool) -> None:
        if is_any_left:
            self._state.claim_unanswered_at = self._state.clock.monotonic()
            self._timer.set(LOCKED_RETRY_SECONDS)
