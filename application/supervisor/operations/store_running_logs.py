"""Store the output of runs while they go on."""

import logging
from collections.abc import Sequence
from math import inf

from application.errors import StorageConflict, StorageUnavailable
from application.isolation import log_once
from application.ports.background import BackgroundRunner
from application.ports.wake_up import Notifier, Topic
from application.supervisor.claimed_tasks import StopReason
from application.supervisor.operations.operation import Context
from domain.ids import Hold
from domain.settlement import RunningLog

WRITE_SECONDS = 1.0
"""Seconds between two writes of the logs of all runs together."""
MAX_CHARACTERS = 256 * 1024
"""Characters of one write, unless its first log alone has more. The others come with the next one."""

log = logging.getLogger(__name__)


class StoreRunningLogs:
    """Due when a run has printed something that is not stored, at most once in WRITE_SECONDS."""

    def __init__(self, context: Context, notifier: Notifier) -> None:
        self._context = context
        self._notifier = notifier
        self._state = context.state
        self._timer = context.timer()

    def due_in(self) -> float:
        return self._timer.due_in() if self._state.running_logs else inf

    def send(self, runner: BackgroundRunner) -> None:
        batch = self._take_batch()
        if not batch:
            return
        began = self._state.clock.monotonic()
        self._timer.set(WRITE_SECONDS)
        runner.submit(lambda: self._write(batch), lambda locked: self._on_answer(batch, locked, began))

    def _write(self, batch: Sequence[RunningLog]) -> Sequence[Hold]:
        """Write the logs, and return the holds of those that have met a lock."""
        try:
            locked = self._context.autocommit.report_logs(batch)
        except StorageConflict:
            return [each.hold for each in batch]
        except StorageUnavailable:
            raise
        except Exception as error:
            # It is not repeated: outcomes would have to wait for a log, which comes with the outcome of its run anyway.
            log_once(log, "the logs of running tasks cannot be stored", error)
            return []
        self._notifier.notify(Topic.CHANGED)
        return locked

    def _on_answer(self, batch: Sequence[RunningLog], locked: Sequence[Hold], began: float) -> None:
        """Store locked logs with the next write, unless their runs have printed more since."""
        seconds = self._state.clock.monotonic() - began
        # On a slow line, logs take half of the time at most.
        self._timer.set(max(WRITE_SECONDS - seconds, seconds))
        for each in batch:
            if each.hold in locked:
                self._state.running_logs.setdefault(each.hold, each.record.log)

    def _take_batch(self) -> Sequence[RunningLog]:
        """Remove the logs that one write takes, and those of runs that have ended or are lost."""
        batch: list[RunningLog] = []
        characters = 0
        for hold, printed in list(self._state.running_logs.items()):
            claimed = self._state.claimed_tasks.started.get(hold)
            if claimed and claimed.stop_reason is not StopReason.LOST:
                characters += len(printed)
                if batch and characters > MAX_CHARACTERS:
                    break
                batch.append(RunningLog.of(self._state.task_as_run(claimed), self._state.now, printed))
            del self._state.running_logs[hold]
        return batch
