"""Afterwords: put on record what those starts had printed that may not be settled any more."""

import logging
from collections.abc import Sequence
from math import inf

from application.errors import StorageUnavailable
from application.supervisor.background import Courier
from application.supervisor.operations.operation import Office
from domain.settlement import Afterword

MOST = 100
log = logging.getLogger(__name__)


class RecordAfterwords:
    """Due as soon as there is one: few tasks are cancelled or taken away while they run."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._desk = office.desk

    def due_in(self) -> float:
        return 0 if self._desk.afterwords else inf

    def send(self, courier: Courier) -> None:
        batch = self._desk.afterwords[:MOST]
        del self._desk.afterwords[:MOST]
        courier.send(lambda: self._write(batch), lambda _: None)

    def _write(self, batch: Sequence[Afterword]) -> None:
        try:
            with self._office.begin() as work:
                work.queue.record(batch)
                work.commit()
        except StorageUnavailable:
            raise
        except Exception:
            # A log is not worth being tried for ever, while outcomes wait.
            log.exception("what %d starts had printed cannot be stored", len(batch))
