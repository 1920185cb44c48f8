"""Store the logs of starts that may not be settled any more."""

import logging
from collections.abc import Sequence
from math import inf

from application.errors import StorageUnavailable
from application.ports.background import BackgroundRunner
from application.supervisor.operations.operation import Context
from domain.settlement import LateLog

BATCH_LOGS = 100
"""Late logs of one transaction."""

log = logging.getLogger(__name__)


class StoreLateLogs:
    """Due as soon as there is a late log; there are few, as few tasks are cancelled or taken away while they run."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = context.state

    def due_in(self) -> float:
        return 0 if self._state.late_logs else inf

    def send(self, runner: BackgroundRunner) -> None:
        batch = self._state.late_logs[:BATCH_LOGS]
        del self._state.late_logs[:BATCH_LOGS]
        runner.submit(lambda: self._write(batch), lambda _: None)

    def _write(self, batch: Sequence[LateLog]) -> None:
        try:
            with self._context.begin() as work:
                work.queue.record_late_logs(batch)
                work.commit()
        except StorageUnavailable:
            raise
        except Exception:
            # It is not repeated: outcomes would have to wait for a log.
            log.exception("the logs of %d starts cannot be stored", len(batch))
