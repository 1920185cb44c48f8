"""Settle: write outcomes, all together that have come since the last write.

- Outcomes whose rows are locked are busy, and tried again apart from fresh ones.
- Large outcomes have an operation and a lane of their own: on a slow line they take long.
- An outcome that the storage refuses for a reason of its own fails its task with that reason.
"""

import logging
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from math import inf

from application.errors import OutcomeRefused, StatementRefused, StorageConflict, StorageUnavailable
from application.isolation import isolate, log_once
from application.log_lines import keys_of_end, log_refusal, named
from application.ports.background import BackgroundRunner
from application.ports.queue import SettleResult, merged
from application.ports.wake_up import Notifier, Topic
from application.supervisor.operations.operation import Context
from application.supervisor.outbox import Outbox
from domain.ids import TaskId, TypeName
from domain.settlement import Settlement

MAX_SETTLEMENTS = 1_000
"""Settlements of one transaction."""
MAX_CHARACTERS = 4 * 1024 * 1024
"""Characters of results and logs of one transaction, unless its first settlement alone has more.

It takes some seconds on a slow line. A character has at most four bytes, and for so many the deadlines of the storage
allow time.
"""
BUSY_SECONDS = 0.2
"""Seconds until settlements whose rows were locked are tried again."""
SPLIT_SECONDS = 0.05
"""Seconds for which a busy batch that meets conflicts is split. A fresh one is not: others wait behind it."""

log = logging.getLogger(__name__)


class _InTheWay(Exception):
    """Locks are in the way of one settlement of a batch at least."""


@dataclass(frozen=True, slots=True)
class SettlementWriter:
    """Writes batches so that no settlement harms the others, and applies the results to the state."""

    context: Context
    notifier: Notifier

    def write(self, batch: Sequence[Settlement]) -> SettleResult:
        """Write a fresh batch in one step, or around what is in the way."""
        try:
            result = self.context.autocommit.settle(batch)
        except StorageConflict:
            return self.write_unlocked(batch, split_seconds=0)
        except StorageUnavailable:
            raise
        except StatementRefused as error:
            return self._postponed(batch, error)
        except Exception:
            return self.write_unlocked(batch, split_seconds=0)
        self.notifier.notify(Topic.CHANGED)
        return result

    def write_unlocked(self, batch: Sequence[Settlement], split_seconds: float = SPLIT_SECONDS) -> SettleResult:
        """Write the settlements whose rows are not locked."""
        # A lock on the records or on the deliveries is not in the way of the plain ones.
        plain = [each for each in batch if is_plain(each)]
        others = [each for each in batch if not is_plain(each)]
        clock = self.context.state.clock
        return merged(self._split(part, clock.monotonic() + split_seconds) for part in (plain, others) if part)

    def on_answer(self, outbox: Outbox, result: SettleResult) -> None:
        """Keep busy settlements for another try, and note that the others are written or refused."""
        if self.record_answer(outbox, result):
            self.notifier.notify(Topic.ENDED)

    def record_answer(self, outbox: Outbox, result: SettleResult) -> Set[TypeName]:
        """Do what `on_answer` does, but tell no other handler; return the limited types of which a task has ended."""
        state, batch = self.context.state, outbox.writing
        outbox.writing = ()
        busy = {each.hold for each in result.busy}
        written = [each for each in batch if each.hold not in busy] if busy else batch
        state.prefetch.record_settled(each.hold for each in written)
        state.tally.record_settled(written, state.clock.monotonic())
        state.tally.late += len(result.refused)
        state.tally.unstorable += len(result.unstorable)
        outbox.busy.extend(result.busy)
        state.unstorable.update((each.hold, each.task) for each in result.unstorable)
        if result.refused:
            self._keep_refused_logs(batch, {*result.refused})
        state.ended_batches.update(
            each.task.batch for each in written if each.task.batch is not None and each.task.status.is_final
        )
        state.parents_ended = state.parents_ended or result.parents_ended
        now = state.clock.now()
        if due := [each.task for each in written if each.task.is_due(now)]:
            state.step_back(due)
            self.notifier.notify(Topic.WAITING)
        return state.limited.record_settled((each.task for each in written), state.clock.monotonic())

    def _split(self, batch: Sequence[Settlement], until: float) -> SettleResult:
        """Write a batch, or its halves where that fails; a single settlement that fails is busy or refused."""

        def write(some: Sequence[Settlement]) -> Sequence[SettleResult]:
            return [self._try(some, until)]

        return merged(isolate(batch, write, lambda one, error: [self._write_refused(one, error)]))

    def _try(self, batch: Sequence[Settlement], until: float) -> SettleResult:
        """Write a batch in one step. Raises _InTheWay: locks are, and halves may be written around them."""
        try:
            result = self.context.autocommit.settle_unlocked(batch)
        except StorageConflict as error:
            if len(batch) > 1 and self.context.state.clock.monotonic() <= until:
                raise _InTheWay from error
            return SettleResult(busy=batch)
        except StatementRefused as error:
            return self._postponed(batch, error)
        self.notifier.notify(Topic.CHANGED)
        return result

    def _postponed(self, batch: Sequence[Settlement], error: StatementRefused) -> SettleResult:
        """Keep outcomes that are not to blame, such as for a missing permission, until they can be written."""
        log_once(log, f"no outcome can be stored, and all are tried again: {error.__cause__}", error)
        return SettleResult(busy=batch)

    def _write_refused(self, refused: Settlement, error: Exception) -> SettleResult:
        """Write what can be stored of an outcome that was refused alone: at least that its task has failed."""
        why = str(error) if isinstance(error, OutcomeRefused) else "the database refused it"
        name = named(refused.task.id, refused.task.type)
        extra = keys_of_end(refused)
        log.warning("the outcome of %s cannot be stored: %s", name, why, exc_info=error, extra=extra)
        for instead in self._instead_of(refused, why):
            try:
                result = self.context.autocommit.settle_unlocked([instead])
            except (StorageConflict, StatementRefused):
                return SettleResult(busy=[refused])
            except StorageUnavailable:
                raise
            except Exception:
                log.debug("a substitute for the outcome of %s cannot be stored", name, exc_info=True, extra=extra)
            else:
                self.notifier.notify(Topic.CHANGED)
                return replace(result, busy=[refused] if result.busy else [])
        # Its lease is left to lapse, and the loss is counted like any other.
        log.error("nothing can be stored of the outcome of %s, which counts as lost", name, extra=extra)
        return SettleResult(unstorable=[refused])

    def _instead_of(self, refused: Settlement, why: str) -> Iterator[Settlement]:
        """Settlements to write in its place, those that keep most first."""
        if refused.attempt and refused.attempt.log:
            yield refused.without_log()
        if refused.ends_start:
            failed = Settlement.unstorable(refused, self.context.state.clock.now(), why)
            yield failed
            yield failed.without_log()

    def _keep_refused_logs(self, batch: Sequence[Settlement], refused: set[TaskId]) -> None:
        for settlement in (each for each in batch if each.task.id in refused):
            log_refusal(log, settlement)
            self.context.state.add_late_log_of_refused(settlement)


class Settle:
    """Due as soon as the outbox has a fresh settlement; at most `most` are written together."""

    def __init__(self, context: Context, notifier: Notifier, outbox: Outbox, most: int = MAX_SETTLEMENTS) -> None:
        self._outbox = outbox
        self._most = most
        self._writer = SettlementWriter(context, notifier)

    def due_in(self) -> float:
        return 0 if self._outbox.fresh else inf

    def send(self, runner: BackgroundRunner) -> None:
        self._outbox.recover_unanswered()
        batch = first_batch(self._outbox.fresh[: self._most])
        del self._outbox.fresh[: len(batch)]
        self._outbox.writing = batch
        runner.submit(lambda: self._writer.write(batch), lambda result: self._writer.on_answer(self._outbox, result))


class SettleBusy:
    """Due BUSY_SECONDS after the last try while settlements are set aside. No fresh one is written with them."""

    def __init__(self, context: Context, notifier: Notifier, outbox: Outbox) -> None:
        self._outbox = outbox
        self._timer = context.timer()
        self._writer = SettlementWriter(context, notifier)

    def due_in(self) -> float:
        # Asked only while no call is under way: what is being written then has had no answer.
        return self._timer.due_in() if self._outbox.busy or self._outbox.writing else inf

    def send(self, runner: BackgroundRunner) -> None:
        self._outbox.recover_unanswered()
        batch = first_batch(self._outbox.busy)
        del self._outbox.busy[: len(batch)]
        self._outbox.writing = batch
        runner.submit(lambda: self._writer.write_unlocked(batch), self._on_answer)

    def _on_answer(self, result: SettleResult) -> None:
        self._timer.set(BUSY_SECONDS)
        self._writer.on_answer(self._outbox, result)


def is_plain(settlement: Settlement) -> bool:
    """Whether it changes its task alone: it has no record, and begins no delivery."""
    return settlement.attempt is None and settlement.task.callback is None


def first_batch(outbox: Sequence[Settlement]) -> Sequence[Settlement]:
    """As many of the first settlements as one transaction takes."""
    size = 0
    for nth, settlement in enumerate(outbox[:MAX_SETTLEMENTS]):
        size += settlement.characters
        if nth and size > MAX_CHARACTERS:
            return outbox[:nth]
    return outbox[:MAX_SETTLEMENTS]
