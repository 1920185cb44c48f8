"""Settle: write outcomes, as many together as have come meanwhile."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from application.errors import StorageConflict, StorageUnavailable
from application.ports.wake_up import Notifier, Topic
from application.supervisor.background import Courier
from application.supervisor.operations.operation import Office
from domain.ids import TaskId
from domain.settlement import Settlement

MOST = 1_000
MOST_CHARACTERS = 32 * 1024 * 1024
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """All but these: refused for good, or to be written later since somebody has locked the task for long."""

    refused: Sequence[TaskId] = ()
    busy: Sequence[Settlement] = ()


class Settle:
    """Due as soon as there is an outcome."""

    def __init__(self, office: Office, notifier: Notifier) -> None:
        self._office = office
        self._desk = office.desk
        self._notifier = notifier

    def due_in(self) -> float:
        return 0 if self._desk.outbox else inf

    def send(self, courier: Courier) -> None:
        batch = first_of(self._desk.outbox)
        del self._desk.outbox[: len(batch)]
        self._desk.under_way = batch
        courier.send(lambda: self._write(batch), lambda written: self._take_note(batch, written))

    def _write(self, batch: Sequence[Settlement]) -> Written:
        try:
            return Written(self._write_together(batch))
        except StorageConflict:
            if len(batch) == 1:
                return Written(busy=batch)
        except StorageUnavailable:
            raise
        except Exception:
            if len(batch) == 1:
                # Nobody holds the task any more: its lease lapses, and the loss is counted like any other.
                log.exception("the outcome of task %d cannot be stored, and counts as lost", batch[0].task.id)
                self._desk.forsaken.add(batch[0].task.hold)
                return Written()
        return together(self._write([settlement]) for settlement in batch)

    def _write_together(self, batch: Sequence[Settlement]) -> Sequence[TaskId]:
        refused = self._office.at_once.settle(batch)
        self._notifier.notify(Topic.CHANGED)
        return refused

    def _take_note(self, batch: Sequence[Settlement], written: Written) -> None:
        self._desk.under_way = ()
        busy = {each.task.hold for each in written.busy}
        self._desk.ahead.settled(each.task.hold for each in batch if each.task.hold not in busy)
        self._desk.outbox.extend(written.busy)
        refused = {*written.refused}
        for settlement in (each for each in batch if each.task.id in refused):
            log.info("the outcome of task %d came late and was refused: it is not held any more", settlement.task.id)
            self._desk.say_of_refused(settlement)
        now = self._desk.clock.now()
        if any(each.task.is_due(now) for each in batch):
            self._notifier.notify(Topic.WAITING)


def together(parts: Iterable[Written]) -> Written:
    """What became of all of them."""
    each = list(parts)
    return Written([id for part in each for id in part.refused], [busy for part in each for busy in part.busy])


def first_of(outbox: Sequence[Settlement]) -> Sequence[Settlement]:
    """As many as go into one transaction."""
    size = 0
    for nth, settlement in enumerate(outbox[:MOST]):
        size += len(settlement.result or "") + len(settlement.attempt.log if settlement.attempt else "")
        if nth and size > MOST_CHARACTERS:
            return outbox[:nth]
    return outbox[:MOST]
