"""Detection of starts: when the child comes to a run, and whether it has passed one over."""

import time
from collections.abc import Callable
from math import isfinite

from adapters.executors.process.ipc.shared_page import SharedPage
from adapters.executors.process.pool.dispatched_run import DispatchedRun
from adapters.executors.process.pool.event_loop import EventLoop, Timer
from adapters.executors.process.pool.run_queue import RunQueue
from application.ports.executor import Event, Span, Started

START_POLL_SECONDS = 0.01
"""Seconds that a run may go on before its start is reported. Most have ended by then, and the end reports the start."""
LOST_RUN_SECONDS = 10.0
"""Seconds after which the next run, if it has not begun, counts as lost: a function has read its packet by mistake."""


class StartWatch:
    """Reads on the shared page which run has begun, while the first run of the queue has not."""

    def __init__(
        self,
        page: SharedPage,
        loop: EventLoop,
        queue: RunQueue,
        on_event: Callable[[Event], None],
        on_lost: Callable[[DispatchedRun], None],
    ) -> None:
        self._page, self._queue, self._on_event, self._on_lost = page, queue, on_event, on_lost
        self._poll_timer = Timer(loop, self._poll)
        self._lost_timer = Timer(loop, self._look_for_lost_run)
        self._expected = 0

    def begin(self) -> None:
        """Watch the first run. Before: there is one."""
        if not self._poll_timer.is_set:
            self._poll_timer.set(START_POLL_SECONDS)
        if not self._lost_timer.is_set:
            self._expected = self._queue.runs[0].number
            self._lost_timer.set(LOST_RUN_SECONDS)

    def look(self) -> None:
        """Report what has begun. Runs before it have begun too, and their ends are still to be read."""
        if (begun := self._page.begun()) is None:
            return
        runs = self._queue.runs
        if not runs or begun.run < runs[0].number:
            return
        # A child that names a run which it does not have has come to the first one all the same.
        latest = begun.run if any(each.number == begun.run for each in runs) else runs[0].number
        for run in [each for each in runs if each.number <= latest and not each.has_begun]:
            run.has_begun = True
            if run.number == latest:
                run.is_attentive = begun.is_attentive
                self._on_event(Started(run.run.hold, self.clamped(run, Span(begun.at, 0)).began))

    def clamped(self, run: DispatchedRun, span: Span) -> Span:
        """The part of the span between the moment at which the run was handed over and now, by the own clock."""
        now = time.monotonic()
        if run.handed_at <= span.began <= span.began + span.seconds <= now:
            return span
        began = min(max(span.began, run.handed_at), now) if isfinite(span.began) else run.handed_at
        return Span(began, min(span.seconds, now - began))

    def _poll(self) -> None:
        self.look()
        if self._awaits_a_start():
            self._poll_timer.set(START_POLL_SECONDS)

    def _look_for_lost_run(self) -> None:
        self.look()
        if self._awaits_a_start():
            first = self._queue.runs[0]
            if first.number == self._expected:
                self._on_lost(first)
            if self._queue.runs:
                self.begin()

    def _awaits_a_start(self) -> bool:
        return bool(self._queue.runs) and not self._queue.runs[0].has_begun
