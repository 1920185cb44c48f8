"""Settle: write outcomes, all together that have come since the last write."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from application.errors import StorageConflict, StorageUnavailable
from application.ports.background import BackgroundRunner
from application.ports.wake_up import Notifier, Topic
from application.supervisor.operations.operation import Context
from domain.ids import TaskId
from domain.settlement import Settlement

MAX_SETTLEMENTS = 1_000
"""Settlements of one transaction."""
MAX_CHARACTERS = 32 * 1024 * 1024
"""Characters of results and logs of one transaction, unless its first settlement alone has more."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SettleResult:
    """The settlements of a batch that were not written.

    - `refused`: tasks that this handler no longer holds; never to be written.
    - `busy`: settlements whose tasks are locked; to be written later.
    """

    refused: Sequence[TaskId] = ()
    busy: Sequence[Settlement] = ()


class Settle:
    """Due as soon as the outbox has a settlement."""

    def __init__(self, context: Context, notifier: Notifier) -> None:
        self._context = context
        self._state = context.state
        self._notifier = notifier

    def due_in(self) -> float:
        return 0 if self._state.outbox else inf

    def send(self, runner: BackgroundRunner) -> None:
        batch = first_batch(self._state.outbox)
        del self._state.outbox[: len(batch)]
        self._state.settling = batch
        runner.submit(lambda: self._write(batch), lambda result: self._on_answer(batch, result))

    def _write(self, batch: Sequence[Settlement]) -> SettleResult:
        """Write a batch together, or one by one if that fails, so that none of them harms the others."""
        try:
            return SettleResult(self._write_together(batch))
        except StorageConflict:
            if len(batch) == 1:
                return SettleResult(busy=batch)
        except StorageUnavailable:
            raise
        except Exception:
            if len(batch) == 1:
                # Its lease is left to lapse, and the loss is counted like any other.
                log.exception("the outcome of task %d cannot be stored, and counts as lost", batch[0].task.id)
                self._state.unstorable.add(batch[0].task.hold)
                return SettleResult()
        return merged(self._write([settlement]) for settlement in batch)

    def _write_together(self, batch: Sequence[Settlement]) -> Sequence[TaskId]:
        refused = self._context.autocommit.settle(batch)
        self._notifier.notify(Topic.CHANGED)
        return refused

    def _on_answer(self, batch: Sequence[Settlement], result: SettleResult) -> None:
        self._state.settling = ()
        busy = {each.task.hold for each in result.busy}
        written = [each.task for each in batch if each.task.hold not in busy]
        self._state.prefetch.record_settled(task.hold for task in written)
        self._state.outbox.extend(result.busy)
        self._keep_refused_logs(batch, {*result.refused})
        now = self._state.clock.now()
        if due := [task for task in written if task.is_due(now)]:
            self._state.claim_cursors.step_back(due)
            self._notifier.notify(Topic.WAITING)

    def _keep_refused_logs(self, batch: Sequence[Settlement], refused: set[TaskId]) -> None:
        for settlement in (each for each in batch if each.task.id in refused):
            log.info("the outcome of task %d came late and was refused: it is not held any more", settlement.task.id)
            self._state.add_late_log_of_refused(settlement)


def merged(results: Iterable[SettleResult]) -> SettleResult:
    """The results of several batches as one."""
    each = list(results)
    return SettleResult([id for part in each for id in part.refused], [busy for part in each for busy in part.busy])


def first_batch(outbox: Sequence[Settlement]) -> Sequence[Settlement]:
    """As many of the first settlements as one transaction takes."""
    size = 0
    for nth, settlement in enumerate(outbox[:MAX_SETTLEMENTS]):
        size += len(settlement.result or "") + len(settlement.attempt.log if settlement.attempt else "")
        if nth and size > MAX_CHARACTERS:
            return outbox[:nth]
    return outbox[:MAX_SETTLEMENTS]
