"""Report: tell that functions have started, and how far they are, while they go on."""

from math import inf

from application.ports.queue import ProgressReport
from application.ports.wake_up import Notifier, Topic
from application.supervisor.background import BackgroundRunner
from application.supervisor.claimed import ClaimedTask
from application.supervisor.operations.operation import Context

REPORT_SECONDS = 0.3
"""Seconds that a function runs before it is told of, and between two reports."""


class ReportProgress:
    """Due when anything is new of a function that has run for a while: what is short needs no report."""

    def __init__(self, context: Context, notifier: Notifier) -> None:
        self._context = context
        self._notifier = notifier
        self._state = context.state
        self._timer = context.timer()

    def due_in(self) -> float:
        started = (claimed.started_at for claimed in self._state.progressed.values() if claimed.started_at is not None)
        first = min(started, default=inf)
        return max(first + REPORT_SECONDS - self._state.clock.monotonic(), self._timer.due_in())

    def send(self, runner: BackgroundRunner) -> None:
        reports = [self._report(claimed) for claimed in self._take_progressed()]

        def call() -> None:
            with self._context.begin() as work:
                work.queue.report(reports)
                work.commit()
            self._notifier.notify(Topic.CHANGED)

        runner.send(call, lambda _: self._timer.set(REPORT_SECONDS))

    def _take_progressed(self) -> list[ClaimedTask]:
        since = self._state.clock.monotonic() - REPORT_SECONDS
        progressed = [
            claimed
            for claimed in self._state.progressed.values()
            if claimed.started_at is not None and claimed.started_at <= since
        ]
        for claimed in progressed:
            del self._state.progressed[claimed.hold]
        return progressed

    def _report(self, claimed: ClaimedTask) -> ProgressReport:
        task = self._state.as_run(claimed)
        assert task.started is not None
        return ProgressReport(claimed.hold, task.started, task.progress)
