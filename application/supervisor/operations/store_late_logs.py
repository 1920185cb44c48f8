"""Store the logs of starts that may not be settled any more."""

import logging
from collections.abc import Sequence
from math import inf

from application.errors import StorageConflict, StorageUnavailable
from application.ports.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from domain.settlement import LateLog

BATCH_LOGS = 100
"""Late logs of one transaction, of 64 KiB each at most."""
MAX_LOCKED_LOGS = 1_000
"""Late logs that are kept while their rows are locked; the oldest are dropped."""
RETRY_SECONDS = 0.5
"""Seconds after which late logs that have met a lock are stored."""

log = logging.getLogger(__name__)


class StoreLateLogs:
    """Due as soon as there is a late log; there are few, as few tasks are cancelled or taken away while they run."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state
        self._retry = context.timer()

    def due_in(self) -> float:
        return self._retry.due_in() if self._state.late_logs else inf

    def send(self, runner: BackgroundRunner) -> None:
        batch = self._state.late_logs[:BATCH_LOGS]
        del self._state.late_logs[:BATCH_LOGS]
        runner.submit(lambda: self._write(batch), self._on_answer)

    def _write(self, batch: Sequence[LateLog]) -> Sequence[LateLog]:
        """Write the logs, and return those that have met a lock."""
        try:
            with self._context.begin() as work:
                locked = work.queue.record_late_logs(batch)
                work.commit()
            return locked
        except StorageConflict:
            return batch
        except StorageUnavailable:
            raise
        except Exception:
            # It is not repeated: outcomes would have to wait for a log.
            log.exception("the logs of %d starts cannot be stored", len(batch))
            return []

    def _on_answer(self, locked: Sequence[LateLog]) -> None:
        """Keep locked logs for later, behind the others."""
        if locked:
            self._state.late_logs.extend(locked)
            del self._state.late_logs[:-MAX_LOCKED_LOGS]
            self._retry.set(RETRY_SECONDS)
