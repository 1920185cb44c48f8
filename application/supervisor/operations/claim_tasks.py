"""Claim tasks when it is time; prefetch.py decides how many."""

import random
from collections.abc import Sequence
from dataclasses import replace
from math import inf

from application.errors import StorageUnavailable
from application.ports.background import BackgroundRunner
from application.ports.executor import Executor
from application.ports.queue import ClaimedRecord, ClaimRequest
from application.ports.wake_up import Topic
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.operations.operation import Context
from application.supervisor.operations.reroute import rerouted

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
        if state.draining or not state.published or state.is_backlogged:
            return inf
        wanted = self._request().most
        if not wanted:
            return inf
        may_find_tasks = Topic.WAITING in state.notified_topics or wanted.keys() - state.prefetch.empty_types
        return 0 if may_find_tasks else self._timer.due_in()

    def send(self, runner: BackgroundRunner) -> None:
        pause = POLL_SECONDS * random.uniform(0.75, 1.25)
        if Topic.WAITING in self._state.notified_topics:
            self._state.notified_topics.discard(Topic.WAITING)
            self._state.prefetch.empty_types.clear()
            pause = NOTIFIED_POLL_SECONDS
        cursors = self._cursors.usable(self._state.clock.monotonic())
        request = replace(self._request(), cursors=cursors)
        self._state.prefetch.record_claim_sent()
        runner.submit(lambda: self._claim(request), lambda answer: self._on_answer(*answer, request, pause))

    def _claim(self, request: ClaimRequest) -> tuple[Sequence[ClaimedRecord], float]:
        """The claimed tasks, and how many seconds the claim took."""
        clock = self._state.clock
        began = clock.monotonic()
        try:
            claimed = self._context.autocommit.claim(self._context.lease(), clock.now(), request)
            return claimed, clock.monotonic() - began
        except StorageUnavailable:
            self._state.claim_unanswered_at = clock.monotonic()
            raise

    def _on_answer(self, claimed: Sequence[ClaimedRecord], seconds: float, request: ClaimRequest, pause: float) -> None:
        state, now = self._state, self._state.clock.monotonic()
        self._cursors.advance(claimed)
        if request.cursors:
            pause = min(pause, self._cursors.full_claim_due_in(now))
        else:
            self._cursors.full_claim_ended(now, seconds)
        self._timer.set(pause)
        state.prefetch.record_claim_answer(claimed, request)
        tasks = [ClaimedTask.of(each, now) for each in claimed]
        state.claimed_tasks.add(self._without_further_suspects(self._without_collisions(tasks)))
        self._release_excess(now)

    def _without_further_suspects(self, claimed: Sequence[ClaimedTask]) -> Sequence[ClaimedTask]:
        """Reroute all suspects but one, so that the death of this handler tells which suspect it was."""
        suspects = [each.task for each in claimed if each.task.suspect]
        further = suspects[0 if self._state.holds_suspect() else 1 :] if suspects else []
        if not further:
            return claimed
        self._state.outbox.fresh.extend([rerouted(task, self._state.now) for task in further])
        given_back = {task.id for task in further}
        return [each for each in claimed if each.task.id not in given_back]

    def _without_collisions(self, claimed: Sequence[ClaimedTask]) -> Sequence[ClaimedTask]:
        """Give back claims whose holds are known already, and drop the tasks that were known by them.

        Claims are numbered upwards, so that only a failover which lost the earlier claim can repeat a hold.
        """
        holds = {each.hold for each in claimed}
        if holds.isdisjoint(self._state.known_holds() if holds else ()):
            return claimed
        colliding = holds.intersection(self._state.known_holds())
        self._state.drop_lost([*colliding])
        self._state.release(each.task for each in claimed if each.hold in colliding)
        return [each for each in claimed if each.hold not in colliding]

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
