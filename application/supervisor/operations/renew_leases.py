"""Keep: renew the leases of what is held, and hear of what is not held any more."""

from collections.abc import Sequence
from math import inf

from application.ports.queue import RenewalResult
from application.ports.wake_up import Topic
from application.supervisor.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from domain.ids import Hold

LOST_POLL_SECONDS = 0.4
"""Seconds between two looks for what was cancelled or taken back."""


class RenewLeases:
    """Due three times in a lease, held tasks or not: it keeps the handler itself alive as well.

    An outcome may have to wait for its turn, or for somebody's lock: until it is written, its task is kept. What is
    locked is asked for again and again: when it is let go, its lease may have lapsed, and the first to come has it.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state
        self._timer = context.timer()
        self._locked: Sequence[Hold] = ()

    def due_in(self) -> float:
        if not self._state.published:
            return inf
        return 0 if self._locked else self._timer.due_in()

    def send(self, runner: BackgroundRunner) -> None:
        holds, is_time = self._state.holds_to_renew(), self._timer.due_in() <= 0
        if is_time:
            self._timer.set(self._context.identity.lease / 3)
        else:
            holds = [hold for hold in self._locked if hold in holds]
        self._locked = ()

        def call() -> tuple[bool, RenewalResult]:
            with self._context.begin() as work:
                lease = self._context.lease()
                is_known = not is_time or work.types.renew(lease.handler, lease.until)
                unrenewed = work.queue.renew(holds, lease)
                work.commit()
            return is_known, unrenewed

        runner.send(call, self._on_answer)

    def _on_answer(self, answer: tuple[bool, RenewalResult]) -> None:
        is_known, unrenewed = answer
        self._state.drop_lost(unrenewed.lost)
        self._locked = unrenewed.locked
        if not is_known:
            self._state.published = ()


class FindLost:
    """Due while anything is held: at once after a notification, else by polling."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state
        self._timer = context.timer()

    def due_in(self) -> float:
        if not self._state.claimed_tasks:
            return inf
        return 0 if Topic.TAKEN in self._state.woken else self._timer.due_in()

    def send(self, runner: BackgroundRunner) -> None:
        holds = self._state.claimed_tasks.holds()
        self._state.woken.discard(Topic.TAKEN)

        def call() -> Sequence[Hold]:
            with self._context.begin() as work:
                return work.queue.lost(holds)

        def then(lost: Sequence[Hold]) -> None:
            self._timer.set(LOST_POLL_SECONDS)
            self._state.drop_lost(lost)

        runner.send(call, then)
