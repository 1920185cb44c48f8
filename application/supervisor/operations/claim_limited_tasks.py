"""Claim tasks of limited types, each of which starts at once, and settle those that have ended in the same step."""

import logging
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from application.errors import StorageConflict, StorageUnavailable
from application.isolation import log_once
from application.ports.background import BackgroundRunner
from application.ports.executor import Executor
from application.ports.limits import Bound, Bounded, LimitedClaim, LimitedClaimRequest
from application.ports.queue import SettleResult
from application.ports.wake_up import Notifier, Topic
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.operations.admission import admitted
from application.supervisor.operations.operation import Context
from application.supervisor.operations.settle import MAX_SETTLEMENTS, SettlementWriter, first_batch
from application.supervisor.prefetch import MAX_CLAIM_BYTES
from domain.ids import TypeName
from domain.settlement import Settlement

log = logging.getLogger(__name__)


class _Answer(NamedTuple):
    settled: SettleResult
    claim: LimitedClaim
    seconds: float


class ClaimLimitedTasks:
    """Due while a slot is idle and a task of a limited type may start, or one has ended. Nothing is claimed ahead."""

    def __init__(self, context: Context, executor: Executor, notifier: Notifier) -> None:
        self._context = context
        self._state = context.state
        self._limited = context.state.limited
        self._outbox = context.state.limited_outbox
        self._executor = executor
        self._notifier = notifier
        self._writer = SettlementWriter(context, notifier)

    def due_in(self) -> float:
        if self._outbox.fresh:
            return 0
        if not self._limited.turns:
            return inf
        # First, so that it learns from notifications while no slot is idle too.
        due_in = self._limited.due_in(self._state.clock.monotonic())
        return due_in if self._slots() else inf

    def send(self, runner: BackgroundRunner) -> None:
        self._outbox.recover_unanswered()
        batch = first_batch(self._outbox.fresh[:MAX_SETTLEMENTS])
        del self._outbox.fresh[: len(batch)]
        self._outbox.writing = batch
        request = self._request({each.task.type for each in batch})
        runner.submit(lambda: self._settle_and_claim(batch, request), lambda answer: self._on_answer(answer, request))

    def _request(self, ended: set[TypeName]) -> LimitedClaimRequest:
        """The tasks to claim: of the types that may have room, and of those of which a task has ended."""
        now, slots = self._state.clock.monotonic(), self._slots()
        due = {*self._limited.due(now), *ended} if slots else set()
        types = [type for type in self._limited.turns if type in due]
        return LimitedClaimRequest(types, slots, MAX_CLAIM_BYTES, self._limited.cursors.usable(now))

    def _slots(self) -> int:
        """The slots that may be filled now."""
        state, is_their_turn = self._state, self._limited.is_their_turn or not self._state.claimed_tasks.queued
        if not state.may_claim or not is_their_turn:
            return 0
        return state.claimed_tasks.idle_slots(self._executor.free, self._executor.concurrency)

    def _settle_and_claim(self, batch: Sequence[Settlement], request: LimitedClaimRequest) -> _Answer:
        """Do both by one commit; apart where an outcome cannot be written that way."""
        if not batch:
            return self._claim(request)
        try:
            return self._together(batch, request)
        except StorageConflict:
            pass
        except StorageUnavailable:
            raise
        except Exception:
            log.debug("outcomes and a claim cannot be written together", exc_info=True)
        settled = self._writer.write(batch)
        return self._claim(request)._replace(settled=settled)

    def _claim(self, request: LimitedClaimRequest) -> _Answer:
        """Claim alone. Where that fails though the storage is there, the types are claimed again by polling."""
        try:
            return self._together((), request)
        except StorageUnavailable:
            raise
        except Exception as error:
            log_once(log, f"tasks of {', '.join(request.types)} cannot be claimed: {error}", error)
            failed = dict.fromkeys(request.types, Bounded(Bound.FAILURE))
            return _Answer(SettleResult(), LimitedClaim([], failed), seconds=0)

    def _together(self, batch: Sequence[Settlement], request: LimitedClaimRequest) -> _Answer:
        clock = self._state.clock
        began = clock.monotonic()
        try:
            claim = self._context.autocommit.claim_limited(self._context.lease(), clock.now(), request, batch)
        except StorageUnavailable:
            self._state.claim_unanswered_at = clock.monotonic()
            raise
        if batch:
            self._notifier.notify(Topic.CHANGED)
        return _Answer(SettleResult(claim.refused, parents_ended=claim.parents_ended), claim, clock.monotonic() - began)

    def _on_answer(self, answer: _Answer, request: LimitedClaimRequest) -> None:
        state, claim, now = self._state, answer.claim, self._state.clock.monotonic()
        ended = self._writer.record_answer(self._outbox, answer.settled)
        if request.types and not request.cursors:
            self._limited.cursors.full_claim_ended(now, answer.seconds, {*request.types})
        self._limited.record_claim(claim, now)
        state.tally.record_claim(len(claim.claimed))
        if claim.unlimited:
            state.set_limited({*self._limited.turns} - claim.unlimited)
        state.claimed_tasks.add_first(admitted(state, [ClaimedTask.of(each, now) for each in claim.claimed]))
        if any(_may_have_room(claim.bounds.get(type)) for type in ended):
            self._notifier.notify(Topic.ENDED)


def _may_have_room(bounded: Bounded | None) -> bool:
    """Whether other handlers may start tasks of a type that was claimed here with this bound, or not at all.

    Where none is due, they may know the type as full, and would not claim it for the next task that comes.
    """
    return bounded is None or bounded.by not in (Bound.PLACES, Bound.RATE, Bound.PAUSE)
