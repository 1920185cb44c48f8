"""Settle: write outcomes, as many together as have come meanwhile."""

import logging
from collections.abc import Sequence
from math import inf

from application.errors import StorageUnavailable
from application.supervisor.courier import Courier
from application.supervisor.errands.errand import Office
from domain.ids import TaskId
from domain.settlement import Settlement

MOST = 1_000
MOST_CHARACTERS = 32 * 1024 * 1024
log = logging.getLogger(__name__)


class Settle:
    """Due as soon as there is an outcome."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._desk = office.desk

    def due_in(self) -> float:
        return 0 if self._desk.outbox else inf

    def send(self, courier: Courier) -> None:
        batch = first_of(self._desk.outbox)
        del self._desk.outbox[: len(batch)]
        courier.send(lambda: self._write(batch), lambda refused: self._tell_refused(batch, refused))

    def _write(self, batch: Sequence[Settlement]) -> Sequence[TaskId]:
        try:
            return self._write_together(batch)
        except StorageUnavailable:
            raise
        except Exception:
            if len(batch) == 1:
                # Nobody holds the task any more: its lease lapses, and the loss is counted like any other.
                log.exception("the outcome of task %d cannot be stored, and counts as lost", batch[0].task.id)
                self._desk.forsaken.add(batch[0].task.hold)
                return []
            return [refused for settlement in batch for refused in self._write([settlement])]

    def _write_together(self, batch: Sequence[Settlement]) -> Sequence[TaskId]:
        with self._office.begin() as work:
            refused = work.queue.settle(batch)
            work.commit()
        return refused

    def _tell_refused(self, batch: Sequence[Settlement], refused: Sequence[TaskId]) -> None:
        for settlement in (each for each in batch if each.task.id in set(refused)):
            log.info(
                "the outcome of task %d came late and was refused: it is not held here any more", settlement.task.id
            )
            self._desk.say_of_refused(settlement)


def first_of(outbox: Sequence[Settlement]) -> Sequence[Settlement]:
    """As many as go into one transaction."""
    size = 0
    for nth, settlement in enumerate(outbox[:MOST]):
        size += len(settlement.result or "") + len(settlement.attempt.log if settlement.attempt else "")
        if nth and size > MOST_CHARACTERS:
            return outbox[:nth]
    return outbox[:MOST]
