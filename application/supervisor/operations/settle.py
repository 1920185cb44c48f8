"""Settle: write outcomes, as many together as have come meanwhile."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from application.errors import StorageConflict, StorageUnavailable
from application.ports.wake_up import Notifier, Topic
from application.supervisor.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from domain.ids import TaskId
from domain.settlement import Settlement

MAX_SETTLEMENTS = 1_000
MAX_CHARACTERS = 32 * 1024 * 1024
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SettleResult:
    """All but these: refused for good, or to be written later since somebody has locked the task for long."""

    refused: Sequence[TaskId] = ()
    busy: Sequence[Settlement] = ()


class Settle:
    """Due as soon as there is an outcome."""

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
        runner.send(lambda: self._write(batch), lambda written: self._on_answer(batch, written))

    def _write(self, batch: Sequence[Settlement]) -> SettleResult:
        try:
            return SettleResult(self._write_together(batch))
        except StorageConflict:
            if len(batch) == 1:
                return SettleResult(busy=batch)
        except StorageUnavailable:
            raise
        except Exception:
            if len(batch) == 1:
                # Nobody holds the task any more: its lease lapses, and the loss is counted like any other.
                log.exception("the outcome of task %d cannot be stored, and counts as lost", batch[0].task.id)
                self._state.unsettled.add(batch[0].task.hold)
                return SettleResult()
        return merged(self._write([settlement]) for settlement in batch)

    def _write_together(self, batch: Sequence[Settlement]) -> Sequence[TaskId]:
        refused = self._context.autocommit.settle(batch)
        self._notifier.notify(Topic.CHANGED)
        return refused

    def _on_answer(self, batch: Sequence[Settlement], written: SettleResult) -> None:
        self._state.settling = ()
        busy = {each.task.hold for each in written.busy}
        self._state.prefetch.settled(each.task.hold for each in batch if each.task.hold not in busy)
        self._state.outbox.extend(written.busy)
        refused = {*written.refused}
        for settlement in (each for each in batch if each.task.id in refused):
            log.info("the outcome of task %d came late and was refused: it is not held any more", settlement.task.id)
            self._state.add_late_log_of_refused(settlement)
        now = self._state.clock.now()
        if any(each.task.is_due(now) for each in batch):
            self._notifier.notify(Topic.WAITING)


def merged(parts: Iterable[SettleResult]) -> SettleResult:
    """What became of all of them."""
    each = list(parts)
    return SettleResult([id for part in each for id in part.refused], [busy for part in each for busy in part.busy])


def first_batch(outbox: Sequence[Settlement]) -> Sequence[Settlement]:
    """As many as go into one transaction."""
    size = 0
    for nth, settlement in enumerate(outbox[:MAX_SETTLEMENTS]):
        size += len(settlement.result or "") + len(settlement.attempt.log if settlement.attempt else "")
        if nth and size > MAX_CHARACTERS:
            return outbox[:nth]
    return outbox[:MAX_SETTLEMENTS]
