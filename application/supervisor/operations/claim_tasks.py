"""Claim tasks of unlimited types when it is time; prefetch.py decides how many."""

import random
from collections.abc import Sequence, Set
from dataclasses import replace
from math import inf

from application.errors import StorageUnavailable
from application.ports.background import BackgroundRunner
from application.ports.executor import Executor
from application.ports.queue import ClaimedRecord, ClaimRequest
from application.ports.wake_up import Topic
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.operations.admission import admitted
from application.supervisor.operations.operation import Context
from domain.ids import TypeName

POLL_SECONDS = 1.0
"""Mean seconds between two claims of types that had no tasks, without a notification."""
NOTIFIED_POLL_SECONDS = 0.05
"""Seconds until the next claim after a notification: its task may be due a moment later by this host's clock."""


class ClaimTasks:
    """Due while there is room: at once for types that may have tasks, and by polling for types that had none."""

    def __init__(self, context: Context, executor: Executor) -> None:
        self._context = context
        self._state = context.state
        self._executor = executor
        self._timer = context.timer()
        self._cursors = context.state.claim_cursors

    def due_in(self) -> float:
        state = self._state
        if not state.may_claim:
            return inf
        wanted = self._request().most
        if not wanted:
            return inf
        is_notified = not state.notified_topics.isdisjoint((Topic.WAITING, Topic.LIMITS))
        return 0 if is_notified or wanted.keys() - state.prefetch.empty_types else self._timer.due_in()

    def send(self, runner: BackgroundRunner) -> None:
        pause = POLL_SECONDS * random.uniform(0.75, 1.25)
        if Topic.WAITING in self._state.notified_topics:
            self._state.notified_topics.discard(Topic.WAITING)
            self._state.prefetch.empty_types.clear()
            pause = NOTIFIED_POLL_SECONDS
        cursors = self._cursors.usable(self._state.clock.monotonic())
        request = replace(self._request(), cursors=cursors)
        self._state.prefetch.record_claim_sent()
        reads_limits = self._state.limited.are_outdated(self._state.clock.monotonic())
        if Topic.LIMITS in self._state.notified_topics:
            self._state.notified_topics.discard(Topic.LIMITS)
            reads_limits = True
        runner.submit(
            lambda: self._claim(request, reads_limits), lambda answer: self._on_answer(*answer, request, pause)
        )

    def _claim(
        self, request: ClaimRequest, reads_limits: bool
    ) -> tuple[Set[TypeName] | None, Sequence[ClaimedRecord], float]:
        """The limited types if they are to be read, the claimed tasks, and how many seconds the claim took."""
        clock = self._state.clock
        limited = self._context.autocommit.limited_types() if reads_limits else None
        began = clock.monotonic()
        try:
            claimed = self._context.autocommit.claim(self._context.lease(), clock.now(), request)
            return limited, claimed, clock.monotonic() - began
        except StorageUnavailable:
            self._state.claim_unanswered_at = clock.monotonic()
            raise

    def _on_answer(
        self,
        limited: Set[TypeName] | None,
        claimed: Sequence[ClaimedRecord],
        seconds: float,
        request: ClaimRequest,
        pause: float,
    ) -> None:
        state, now = self._state, self._state.clock.monotonic()
        self._cursors.advance(claimed)
        if request.cursors:
            pause = min(pause, self._cursors.full_claim_due_in(now))
        else:
            self._cursors.full_claim_ended(now, seconds)
        self._timer.set(pause)
        state.prefetch.record_claim_answer(claimed, request)
        state.tally.record_claim(len(claimed))
        state.claimed_tasks.add(admitted(state, [ClaimedTask.of(each, now) for each in claimed]))
        self._release_excess(now)
        if limited is not None:
            state.limited.read_at = now
            state.set_limited(limited)

    def _release_excess(self, now: float) -> None:
        """Give back slow tasks that have no slot, since the request could not know which types the claim would find."""
        state = self._state
        excess = state.prefetch.excess_slow_tasks(*self._slots(), state.claimed_tasks, now)
        if excess:
            state.claimed_tasks.drop({claimed.hold for claimed in excess})
            state.release(claimed.task for claimed in excess)

    def _request(self) -> ClaimRequest:
        state = self._state
        return state.prefetch.claim_request(*self._slots(), state.claimed_tasks, state.clock.monotonic())

    def _slots(self) -> tuple[int, int]:
        """How many runs can be started now, and how many go on at the same time."""
        return self._executor.free, self._executor.concurrency
