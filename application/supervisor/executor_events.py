"""Applies the executor's events to the supervisor's state."""

import logging
import random
from collections.abc import Callable
from datetime import datetime

from application.log_lines import keys_of_hold, log_dropped
from application.ports.executor import (
    Described,
    Event,
    Failed,
    Interrupted,
    Logged,
    Progressed,
    Span,
    Started,
    Succeeded,
    Unusable,
)
from application.supervisor.claimed_tasks import STOPPED, ClaimedTask, StopReason, UnfitTask
from application.supervisor.state import SupervisorState
from domain.failure import Failure
from domain.ids import Hold
from domain.progress import Progress
from domain.retry import RetryPolicy
from domain.settlement import Settlement
from domain.task import Task

RETRY_POLICY = RetryPolicy()

log = logging.getLogger(__name__)


class NothingToRun(Exception):
    """The user's code cannot be imported; the message names the module and the error."""


class ExecutorEvents:
    """Applies events to the state: new types, starts, progress, output, and outcomes to settle."""

    def __init__(self, state: SupervisorState) -> None:
        self._state = state
        self._clock = state.clock
        self._claimed_tasks = state.claimed_tasks

    def apply(self, event: Event) -> None:
        """Apply one event. Raises NothingToRun: the user's code cannot be imported, and never could be.

        The run of an event that cannot be applied is stopped, and its lease is left to lapse.
        """
        try:
            self._apply(event)
        except NothingToRun:
            raise
        except Exception:
            hold = getattr(event, "hold", None)
            extra = keys_of_hold(hold) if hold else None
            log.exception("an event of the executor cannot be applied: %s", type(event).__name__, extra=extra)
            if hold:
                self._give_up(hold)

    def _apply(self, event: Event) -> None:
        match event:  # successes first: there are far more of them than of all others
            case Succeeded(hold, result, printed, span):
                self._finish(hold, printed, span, lambda task, now: Settlement.succeeded(task, now, result, printed))
            case Described(types):
                self._state.set_types(types)
            case Unusable(reason) if not self._state.types:
                raise NothingToRun(reason)
            case Unusable(reason):
                log.error("%s", reason)
            case Started(hold, at):
                self._start(hold, at)
            case Progressed(hold, progress):
                self._record_progress(hold, progress)
            case Logged(hold, printed):
                self._state.running_logs[hold] = printed
            case Failed(hold, failure, printed, span):
                self._finish_failed(hold, failure, printed, span)
            case Interrupted(hold, printed):
                self._finish(hold, printed, None, lambda task, now: Settlement.lost(task, now, printed))

    def _give_up(self, hold: Hold) -> None:
        """Stop a run of which nothing can be written."""
        if claimed := self._remove(hold):
            self._state.unstorable[hold] = claimed.task
        self._state.runs_to_stop.append((hold, STOPPED))

    def _start(self, hold: Hold, at: float) -> None:
        if claimed := self._claimed_tasks.start(hold, at):
            self._state.unreported[hold] = claimed

    def _record_progress(self, hold: Hold, progress: Progress) -> None:
        if claimed := self._claimed_tasks.dispatched.get(hold):
            claimed.progress = progress
            self._state.unreported[hold] = claimed

    def _finish_failed(self, hold: Hold, failure: Failure, printed: str, span: Span | None) -> None:
        def settlement(task: Task, now: datetime) -> Settlement:
            if claimed is not None and claimed.stop_reason is StopReason.DRAINED and failure == STOPPED:
                has_started = claimed.started_at is not None
                return Settlement.lost(task, now, printed) if has_started else Settlement.released(task, now)
            return Settlement.failed(task, now, failure, RETRY_POLICY, random.random(), printed)

        claimed = self._claimed_tasks.dispatched.get(hold)
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
        claimed = self._settleable(hold, printed)
        if claimed is None:
            return
        if span is None and claimed.started_at is not None:
            # The event may come late, so the duration of a quick run may come out too long.
            span = Span(claimed.started_at, self._clock.monotonic() - claimed.started_at)
        if span is not None:
            claimed.started_at = span.began
            self._state.prefetch.record_duration(claimed.task.type, span.seconds)
        self._state.settle(claimed, settlement)
        self._remove(hold)

    def _add_unfit(self, hold: Hold, printed: str, fallback_settlement: Callable[[Task, datetime], Settlement]) -> None:
        """Keep a task that another handler may be able to run. The duration of a refusal says nothing of its type."""
        if claimed := self._settleable(hold, printed):
            self._remove(hold)
            self._claimed_tasks.unfit[hold] = UnfitTask(claimed, fallback_settlement)

    def _settleable(self, hold: Hold, printed: str) -> ClaimedTask | None:
        """The ended run; None if its task is lost, so that there is nothing to settle."""
        claimed = self._claimed_tasks.dispatched.get(hold)
        if claimed and claimed.stop_reason is StopReason.LOST:
            self._remove(hold)
            log_dropped(log, claimed.task)
            self._state.add_late_log_of_lost(claimed, printed)
            return None
        return claimed

    def _remove(self, hold: Hold) -> ClaimedTask | None:
        self._state.unreported.pop(hold, None)
        return self._claimed_tasks.remove(hold)
