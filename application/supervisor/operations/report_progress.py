"""Report the starts and the progress of functions while they run."""

from collections.abc import Sequence
from math import inf

from application.ports.background import BackgroundRunner
from application.ports.queue import ProgressReport
from application.ports.wake_up import Notifier, Topic
from application.supervisor.claimed_tasks import ClaimedTask
from application.supervisor.operations.operation import Context
from domain.ids import Hold

REPORT_SECONDS = 0.3
"""Seconds that a function runs before its first report, and between two reports."""


class ReportProgress:
    """Due when a function that has run for REPORT_SECONDS has something new; shorter runs need no report."""

    def __init__(self, context: Context, notifier: Notifier) -> None:
        self._context = context
        self._notifier = notifier
        self._state = context.state
        self._timer = context.timer()

    def due_in(self) -> float:
        started = (claimed.started_at for claimed in self._state.unreported.values() if claimed.started_at is not None)
        first = min(started, default=inf)
        return max(first + REPORT_SECONDS - self._state.clock.monotonic(), self._timer.due_in())

    def send(self, runner: BackgroundRunner) -> None:
        unreported = self._take_unreported()
        reports = [self._report(claimed) for claimed in unreported]

        def call() -> Sequence[Hold]:
            locked = self._context.autocommit.report(reports)
            self._notifier.notify(Topic.CHANGED)
            return locked

        runner.submit(call, lambda locked: self._on_answer(unreported, locked))

    def _on_answer(self, unreported: Sequence[ClaimedTask], locked: Sequence[Hold]) -> None:
        """Report the tasks that were locked again the next time, if they still run."""
        self._timer.set(REPORT_SECONDS)
        skipped = {*locked}
        for claimed in unreported:
            if claimed.hold in skipped and claimed.hold in self._state.claimed_tasks.started:
                self._state.unreported.setdefault(claimed.hold, claimed)

    def _take_unreported(self) -> list[ClaimedTask]:
        """Remove the unreported runs that have gone on for long enough, and return them."""
        since = self._state.clock.monotonic() - REPORT_SECONDS
        unreported = [
            claimed
            for claimed in self._state.unreported.values()
            if claimed.started_at is not None and claimed.started_at <= since
        ]
        for claimed in unreported:
            del self._state.unreported[claimed.hold]
        return unreported

    def _report(self, claimed: ClaimedTask) -> ProgressReport:
        task = self._state.task_as_run(claimed)
        assert task.started is not None
        return ProgressReport(claimed.hold, task.started, task.progress)
