"""Claim: take what the executor will start within moments."""

import random
from collections.abc import Sequence
from dataclasses import replace
from math import inf

from application.errors import StorageUnavailable
from application.ports.executor import Executor
from application.ports.queue import ClaimedRecord, ClaimRequest
from application.ports.wake_up import Topic
from application.supervisor.background import BackgroundRunner
from application.supervisor.claim_cursors import ClaimCursors
from application.supervisor.operations.operation import Context

POLL_SECONDS = 1.0
"""Seconds between two looks for work that nobody has notified of."""
NOTIFIED_POLL_SECONDS = 0.05
"""Seconds to the next look after a notification, since what it told of may be due by another clock a moment later."""


class ClaimTasks:
    """Due while there is room: at once for what may be there, and by polling for what was not when last asked for."""

    def __init__(self, context: Context, executor: Executor) -> None:
        self._context = context
        self._state = context.state
        self._executor = executor
        self._timer = context.timer()
        self._cursors = ClaimCursors()

    def due_in(self) -> float:
        state = self._state
        if state.draining or not state.published:
            return inf
        wanted = self._wanted().most
        if not wanted:
            return inf
        may_be_there = Topic.WAITING in state.woken or wanted.keys() - state.prefetch.exhausted
        return 0 if may_be_there else self._timer.due_in()

    def send(self, runner: BackgroundRunner) -> None:
        pause = POLL_SECONDS * random.uniform(0.75, 1.25)
        if Topic.WAITING in self._state.woken:
            self._state.woken.discard(Topic.WAITING)
            self._state.prefetch.exhausted.clear()
            pause = NOTIFIED_POLL_SECONDS
        cursors = self._cursors.usable(self._state.clock.monotonic())
        wanted = replace(self._wanted(), cursors=cursors)
        self._state.prefetch.claim_sent()
        runner.send(lambda: self._claim(wanted), lambda answer: self._on_answer(*answer, wanted, pause))

    def _claim(self, wanted: ClaimRequest) -> tuple[Sequence[ClaimedRecord], float]:
        """What was claimed, and how many seconds it took."""
        clock = self._state.clock
        began = clock.monotonic()
        try:
            claimed = self._context.autocommit.claim(self._context.lease(), clock.now(), wanted)
            return claimed, clock.monotonic() - began
        except StorageUnavailable:
            self._state.claim_unanswered_at = clock.monotonic()
            raise

    def _on_answer(self, claimed: Sequence[ClaimedRecord], seconds: float, wanted: ClaimRequest, pause: float) -> None:
        state, now = self._state, self._state.clock.monotonic()
        self._cursors.advance(claimed)
        if wanted.cursors:
            pause = min(pause, self._cursors.full_claim_due_in(now))
        else:
            self._cursors.full_claim_ended(now, seconds)
        self._timer.set(pause)
        state.prefetch.claim_answered(claimed, wanted)
        state.claimed_tasks.add(claimed, now)
        # It was not known what else there would be.
        too_many = state.prefetch.excess_slow(*self._slots(), state.claimed_tasks, now)
        if too_many:
            state.claimed_tasks.drop({claimed.hold for claimed in too_many})
            state.release(claimed.task for claimed in too_many)

    def _wanted(self) -> ClaimRequest:
        return self._state.prefetch.claim_request(
            *self._slots(), self._state.claimed_tasks, self._state.clock.monotonic()
        )

    def _slots(self) -> tuple[int, int]:
        """How many runs could be started now, and in how many places one at a time goes on."""
        return self._executor.free, self._executor.concurrency
