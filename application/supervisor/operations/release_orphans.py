"""Strays: tasks that are held in the name of this handler without its knowing, since its claim was not answered."""

from collections.abc import Collection
from math import inf

from application.ports.unit_of_work import UnitOfWork
from application.supervisor.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from domain.ids import Hold
from domain.settlement import Settlement


class ReleaseOrphans:
    """Due three times in the lease after a claim went unanswered: its commit may come later than one would think.

    They have not been started, and go back as if nobody had claimed them. Carried by the courier of the claims: while
    one is on its way, this handler does not know yet what it holds.
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

        runner.send(call, lambda _: None)

    def _release(self, work: UnitOfWork, known_holds: Collection[Hold]) -> None:
        now = self._state.clock.now()
        orphans = {*work.queue.held_by(self._context.identity.handler)} - {*known_holds}
        tasks = work.tasks.lock(*(hold.task for hold in orphans))
        work.queue.settle([Settlement.released(task, now) for task in tasks if task.lease and task.hold in orphans])
