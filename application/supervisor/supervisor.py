"""The supervisor of a handler: one thread that knows everything, and never waits for one thing alone."""

import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice

from application.ports.executor import (
    Described,
    Event,
    Executor,
    Failed,
    Progressed,
    Run,
    Span,
    Started,
    Succeeded,
    Unusable,
)
from application.ports.wake_up import Topic
from application.supervisor.claimed import ClaimedTask, StopReason, UnfitTask
from application.supervisor.lane import Lane
from application.supervisor.state import SupervisorState
from domain.failure import Failure
from domain.ids import Hold
from domain.progress import Progress
from domain.retry import RetryPolicy
from domain.settlement import Settlement
from domain.task import Task

MAX_QUEUED_SECONDS = 1.0
"""Seconds after which a claimed task that has not started is given back."""
MAX_WAIT_SECONDS = 5.0
FAREWELL_SECONDS = 5.0
"""Seconds after the grace in which a drained handler may tell the storage the last."""
RETRY_POLICY = RetryPolicy()
STOPPED = Failure("Stopped", "it may not run here any more")

log = logging.getLogger(__name__)


class NothingToRun(Exception):
    """The user's code cannot be imported; the message names the module and the error."""


class Supervisor:
    """Everything happens in `run`, on the caller's thread; `wake` and `stop` alone may be called from elsewhere."""

    def __init__(self, state: SupervisorState, executor: Executor, lanes: Sequence[Lane], grace: float) -> None:
        self._state = state
        self._clock = state.clock
        self._claimed_tasks = state.claimed_tasks
        self._executor = executor
        self._lanes = lanes
        self._grace = grace
        self._stops = 0
        self._stop_at: float | None = None

    def wake(self, topic: Topic) -> None:
        """Look soon at what this topic says."""
        self._state.woken.add(topic)
        self._executor.wake()

    def stop(self) -> None:
        """Finish what runs within the grace, and give back the rest; a second call hurries."""
        self._stops += 1
        self._executor.wake()

    def run(self) -> None:
        """Work until stopped. NothingToRun where the user's code cannot be imported at the start."""
        self._executor.open()
        try:
            while not self._is_finished():
                self.step()
        finally:
            self._executor.close()

    def step(self) -> None:
        """Once around: hear, decide, hand over, tell."""
        events = self._executor.events(self._max_wait_seconds())
        self._state.read_clock()
        for event in events:
            self._handle(event)
        self._continue_stop()
        self._stop_lost()
        self._stop_overdue()
        self._release_queued()
        self._dispatch()
        for each in self._lanes:
            each.exchange()
        self._stop_lost()
        self._dispatch()

    def _handle(self, event: Event) -> None:
        match event:
            case Described(types):
                self._state.set_types(types)
            case Unusable(reason) if not self._state.types:
                raise NothingToRun(reason)
            case Unusable(reason):
                log.error("%s", reason)
            case Started(hold, at):
                self._begin(hold, at)
            case Progressed(hold, progress):
                self._record_progress(hold, progress)
            case Succeeded(hold, result, printed, span):
                self._finish(hold, printed, span, lambda task, now: Settlement.succeeded(task, now, result, printed))
            case Failed(hold, failure, printed, span):
                self._finish_failed(hold, failure, printed, span)

    def _begin(self, hold: Hold, at: float) -> None:
        if claimed := self._claimed_tasks.begin(hold, at):
            self._state.progressed[hold] = claimed

    def _record_progress(self, hold: Hold, progress: Progress) -> None:
        if claimed := self._claimed_tasks.running.get(hold):
            claimed.progress = progress
            self._state.progressed[hold] = claimed

    def _finish_failed(self, hold: Hold, failure: Failure, printed: str, span: Span | None) -> None:
        def settlement(task: Task, now: datetime) -> Settlement:
            if claimed is not None and claimed.stop_reason is StopReason.DRAINED and failure == STOPPED:
                has_started = claimed.started_at is not None
                return Settlement.lost(task, now, printed) if has_started else Settlement.released(task, now)
            return Settlement.failed(task, now, failure, RETRY_POLICY, random.random(), printed)

        claimed = self._claimed_tasks.running.get(hold)
        if failure.unfit:
            self._add_unfit(hold, printed, settlement)
        else:
            self._finish(hold, printed, span, settlement)

    def _finish(
        self,
        hold: Hold,
        printed: str,
        span: Span | None,
        settlement: Callable[[Task, datetime], Settlement],
    ) -> None:
        claimed = self._remove(hold, printed)
        if claimed is None:
            return
        if span is None and claimed.started_at is not None:
            # Heard of late, a quick one would look slow.
            span = Span(claimed.started_at, self._clock.monotonic() - claimed.started_at)
        if span is not None:
            claimed.started_at = span.began
            self._state.prefetch.record_duration(claimed.task.type, span.seconds)
        self._state.settle(claimed, settlement)

    def _add_unfit(
        self, hold: Hold, printed: str, settlement_otherwise: Callable[[Task, datetime], Settlement]
    ) -> None:
        """Another handler may have a function that it fits. How soon this one refused says nothing of its type."""
        if claimed := self._remove(hold, printed):
            self._claimed_tasks.unfit[hold] = UnfitTask(claimed, settlement_otherwise)

    def _remove(self, hold: Hold, printed: str) -> ClaimedTask | None:
        """What ran, unless it is lost: of that there is nothing to settle."""
        claimed = self._claimed_tasks.end(hold)
        self._state.progressed.pop(hold, None)
        if claimed and claimed.stop_reason is StopReason.LOST:
            self._state.add_late_log_of_lost(claimed, printed)
            return None
        return claimed

    def _dispatch(self) -> None:
        while self._claimed_tasks.queued and self._executor.free and not self._claimed_tasks.waits_for_record():
            claimed = self._claimed_tasks.dispatch_first()
            self._executor.start(Run(claimed.hold, claimed.task.type, claimed.task.attempt, claimed.args))

    def _release_queued(self) -> None:
        before = self._clock.monotonic() - (0 if self._state.draining else MAX_QUEUED_SECONDS)
        self._state.release(claimed.task for claimed in self._claimed_tasks.pop_queued(before))
        first = self._claimed_tasks.first_to_begin()
        if first and first.claimed_at < before:
            recalled = [self._claimed_tasks.end(hold) for hold in self._executor.recall()]
            self._state.release(claimed.task for claimed in recalled if claimed)

    def _stop_lost(self) -> None:
        for claimed in self._state.to_stop:
            self._executor.end(claimed.hold, STOPPED)
        self._state.to_stop.clear()

    def _stop_overdue(self) -> None:
        now = self._clock.monotonic()
        for claimed in list(self._claimed_tasks.begun.values()):
            if claimed.stop_reason is None and claimed.deadline <= now:
                claimed.stop_reason = StopReason.TIMEOUT
                self._executor.end(claimed.hold, self._timeout(claimed))

    def _timeout(self, claimed: ClaimedTask) -> Failure:
        retriable = any(type.retries_timeout for type in self._state.types if type.name == claimed.task.type)
        return Failure("TimeoutError", f"it took longer than {claimed.task.timeout:g} s", retriable=retriable)

    def _continue_stop(self) -> None:
        if not self._stops:
            return
        now = self._clock.monotonic()
        if not self._state.draining:
            log.info("stopping: what runs may finish within %g s", self._grace)
            self._state.draining = True
            self._stop_at = now + self._grace
        if self._stops > 1:
            self._stop_at = min(now, self._stop_at or now)
        if self._stop_at is not None and now >= self._stop_at:
            self._stop_all()

    def _stop_all(self) -> None:
        for claimed in self._claimed_tasks.running.values():
            if claimed.stop_reason is None:
                claimed.stop_reason = StopReason.DRAINED
                self._executor.end(claimed.hold, STOPPED)

    def _is_finished(self) -> bool:
        if not self._state.draining:
            return False
        late = self._stop_at is not None and self._clock.monotonic() > self._stop_at + FAREWELL_SECONDS
        return late or all(each.is_drained for each in self._lanes)

    def _max_wait_seconds(self) -> float:
        now = self._clock.monotonic()
        moments = [claimed.claimed_at + MAX_QUEUED_SECONDS for claimed in islice(self._claimed_tasks.queued, 1)]
        moments += [claimed.deadline for claimed in self._claimed_tasks.begun.values() if claimed.stop_reason is None]
        if self._state.draining and self._stop_at is not None:
            moments.append(self._stop_at if now < self._stop_at else self._stop_at + FAREWELL_SECONDS)
        waits = [each.due_in() for each in self._lanes]
        waits += [MAX_WAIT_SECONDS, *(moment - now for moment in moments)]
        return max(min(waits), 0)
