"""Claim tasks of limited types, each of which starts at once."""

from math import inf

from application.errors import StorageUnavailable
from application.ports.background import BackgroundRunner
from application.ports.executor import Executor
from application.ports.limits import LimitedClaim, LimitedClaimRequest
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.operations.admission import admitted
from application.supervisor.operations.operation import Context
from application.supervisor.prefetch import MAX_CLAIM_BYTES


class ClaimLimitedTasks:
    """Due while a slot is idle and a task of a limited type may start. Nothing is claimed ahead."""

    def __init__(self, context: Context, executor: Executor) -> None:
        self._context = context
        self._state = context.state
        self._limited = context.state.limited
        self._executor = executor

    def due_in(self) -> float:
        state = self._state
        is_their_turn = self._limited.is_their_turn or not state.claimed_tasks.queued
        if not state.may_claim or not is_their_turn or not self._idle_slots():
            return inf
        return self._limited.due_in(state.clock.monotonic())

    def send(self, runner: BackgroundRunner) -> None:
        now = self._state.clock.monotonic()
        cursors = self._limited.cursors.usable(now)
        request = LimitedClaimRequest(self._limited.due(now), self._idle_slots(), MAX_CLAIM_BYTES, cursors)
        runner.submit(lambda: self._claim(request), lambda answer: self._on_answer(*answer, request))

    def _claim(self, request: LimitedClaimRequest) -> tuple[LimitedClaim, float]:
        """The answer, and how many seconds the claim took."""
        clock = self._state.clock
        began = clock.monotonic()
        try:
            answer = self._context.autocommit.claim_limited(self._context.lease(), clock.now(), request)
            return answer, clock.monotonic() - began
        except StorageUnavailable:
            self._state.claim_unanswered_at = clock.monotonic()
            raise

    def _on_answer(self, answer: LimitedClaim, seconds: float, request: LimitedClaimRequest) -> None:
        state, now = self._state, self._state.clock.monotonic()
        if not request.cursors:
            self._limited.cursors.full_claim_ended(now, seconds)
        self._limited.record_claim(answer, now)
        if answer.unlimited:
            state.set_limited({*self._limited.turns} - answer.unlimited)
        state.claimed_tasks.add_first(admitted(state, [ClaimedTask.of(each, now) for each in answer.claimed]))

    def _idle_slots(self) -> int:
        return self._state.claimed_tasks.idle_slots(self._executor.free, self._executor.concurrency)
