"""Release orphans: tasks held in this handler's name that it does not know, since their claim was not answered."""

from collections.abc import Collection
from math import inf

from application.ports.background import BackgroundRunner
from application.ports.unit_of_work import UnitOfWork
from application.supervisor.operations.operation import Context
from domain.ids import Hold
from domain.settlement import Settlement


class ReleaseOrphans:
    """Due three times in the lease that follows an unanswered claim, whose commit may arrive late.

    Orphans have not started, and are released as if they had never been claimed. It shares the lane of the claims:
    while a claim is under way, this handler does not know yet which tasks it holds.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state
        self._timer = context.timer()

    def due_in(self) -> float:
        since = self._state.clock.monotonic() - self._state.claim_unanswered_at
        return self._timer.due_in() if since < self._context.identity.lease else inf

    def send(self, runner: BackgroundRunner) -> None:
        known_holds = self._state.known_holds()
        self._timer.set(self._context.identity.lease / 3)

        def call() -> None:
            with self._context.begin() as work:
                self._release(work, known_holds)
                work.commit()

        runner.submit(call, lambda _: None)

    def _release(self, work: UnitOfWork, known_holds: Collection[Hold]) -> None:
        now = self._state.clock.now()
        orphans = {*work.queue.held_by(self._context.identity.handler)} - {*known_holds}
        tasks = work.tasks.lock(*(hold.task for hold in orphans))
        work.queue.settle([Settlement.released(task, now) for task in tasks if task.lease and task.hold in orphans])
