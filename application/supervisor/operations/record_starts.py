"""Record the starts of tasks that may not start before their start is recorded."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from math import inf

from application.ports.background import BackgroundRunner
from application.ports.executor import Executor
from application.ports.queue import ProgressReport
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.operations.operation import Context
from domain.ids import Hold


class RecordStarts:
    """Due when a slot is free for the first queued task and its start must be recorded; tasks behind it wait for that.

    A task that is not held any more is dropped instead, and does not start. One that is locked is given back.
    """

    def __init__(self, context: Context, executor: Executor) -> None:
        self._context = context
        self._state = context.state
        self._executor = executor

    def due_in(self) -> float:
        return 0 if self._state.claimed_tasks.waits_for_record() and self._executor.free else inf

    def send(self, runner: BackgroundRunner) -> None:
        first = islice(self._state.claimed_tasks.queued, self._executor.free)
        starting = [claimed for claimed in first if claimed.task.must_start_on_record]
        now = self._state.clock.now()

        def call() -> tuple[Sequence[Hold], Sequence[Hold]]:
            locked = self._context.autocommit.report([ProgressReport(claimed.hold, now) for claimed in starting])
            with self._context.begin() as work:
                return work.queue.lost([claimed.hold for claimed in starting]), locked

        runner.submit(call, lambda answer: self._on_answer(starting, now, *answer))

    def _on_answer(
        self, starting: Sequence[ClaimedTask], now: datetime, lost: Sequence[Hold], locked: Sequence[Hold]
    ) -> None:
        self._state.drop_lost(lost)
        queued = {claimed.hold for claimed in self._state.claimed_tasks.queued}
        unrecorded = {*locked} & queued
        self._state.claimed_tasks.drop(unrecorded)
        self._state.release(claimed.task for claimed in starting if claimed.hold in unrecorded)
        for claimed in starting:
            if claimed.hold not in locked:
                claimed.task = claimed.task.reported(now, None)
