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
from application.supervisor.claimed import Ending, Held, Unfit
from application.supervisor.lane import Correspondence
from application.supervisor.state import Desk
from domain.failure import Failure
from domain.ids import Hold
from domain.progress import Progress
from domain.retry import RetryPolicy
from domain.settlement import Settlement
from domain.task import Task

GIVE_BACK = 1.0
"""Seconds after which a claimed task that has not started is given back."""
LONGEST_WAIT = 5.0
FAREWELL = 5.0
"""Seconds after the grace in which a drained handler may tell the storage the last."""
BACKOFF = RetryPolicy()
STOPPED = Failure("Stopped", "it may not run here any more")

log = logging.getLogger(__name__)


class NothingToRun(Exception):
    """The user's code cannot be imported; the message names the module and the error."""


class Supervisor:
    """Everything happens in `run`, on the caller's thread; `wake` and `stop` alone may be called from elsewhere."""

    def __init__(self, desk: Desk, executor: Executor, correspondences: Sequence[Correspondence], grace: float) -> None:
        self._desk = desk
        self._clock = desk.clock
        self._held = desk.held
        self._executor = executor
        self._correspondences = correspondences
        self._grace = grace
        self._stops = 0
        self._stop_at: float | None = None

    def wake(self, topic: Topic) -> None:
        """Look soon at what this topic says."""
        self._desk.woken.add(topic)
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
        events = self._executor.events(self._patience())
        self._desk.look_at_the_clock()
        for event in events:
            self._hear(event)
        self._drain()
        self._end_lost()
        self._end_overdue()
        self._give_back()
        self._hand_over()
        for each in self._correspondences:
            each.exchange()
        self._end_lost()
        self._hand_over()

    def _hear(self, event: Event) -> None:
        match event:
            case Described(types):
                self._desk.offer(types)
            case Unusable(reason) if not self._desk.types:
                raise NothingToRun(reason)
            case Unusable(reason):
                log.error("%s", reason)
            case Started(hold, at):
                self._begin(hold, at)
            case Progressed(hold, progress):
                self._note(hold, progress)
            case Succeeded(hold, result, printed, span):
                self._finish(hold, printed, span, lambda task, now: Settlement.succeeded(task, now, result, printed))
            case Failed(hold, failure, printed, span):
                self._finish_failed(hold, failure, printed, span)

    def _begin(self, hold: Hold, at: float) -> None:
        if held := self._held.begin(hold, at):
            self._desk.news[hold] = held

    def _note(self, hold: Hold, progress: Progress) -> None:
        if held := self._held.running.get(hold):
            held.progress = progress
            self._desk.news[hold] = held

    def _finish_failed(self, hold: Hold, failure: Failure, printed: str, span: Span | None) -> None:
        def settlement(task: Task, now: datetime) -> Settlement:
            if held is not None and held.ending is Ending.DRAINED and failure == STOPPED:
                has_started = held.started_at is not None
                return Settlement.lost(task, now, printed) if has_started else Settlement.released(task, now)
            return Settlement.failed(task, now, failure, BACKOFF, random.random(), printed)

        held = self._held.running.get(hold)
        if failure.unfit:
            self._set_aside(hold, printed, settlement)
        else:
            self._finish(hold, printed, span, settlement)

    def _finish(
        self,
        hold: Hold,
        printed: str,
        span: Span | None,
        settlement: Callable[[Task, datetime], Settlement],
    ) -> None:
        held = self._take_out(hold, printed)
        if held is None:
            return
        if span is None and held.started_at is not None:
            # Heard of late, a quick one would look slow.
            span = Span(held.started_at, self._clock.monotonic() - held.started_at)
        if span is not None:
            held.started_at = span.began
            self._desk.ahead.learn(held.task.type, span.seconds)
        self._desk.settle(held, settlement)

    def _set_aside(self, hold: Hold, printed: str, otherwise: Callable[[Task, datetime], Settlement]) -> None:
        """Another handler may have a function that it fits. How soon this one refused says nothing of its type."""
        if held := self._take_out(hold, printed):
            self._held.unfit[hold] = Unfit(held, otherwise)

    def _take_out(self, hold: Hold, printed: str) -> Held | None:
        """What ran, unless it is lost: of that there is nothing to settle."""
        held = self._held.end(hold)
        self._desk.news.pop(hold, None)
        if held and held.ending is Ending.LOST:
            self._desk.say_of_lost(held, printed)
            return None
        return held

    def _hand_over(self) -> None:
        while self._held.queued and self._executor.free and not self._held.waits_for_record():
            held = self._held.hand_over()
            self._executor.start(Run(held.hold, held.task.type, held.task.attempt, held.args))

    def _give_back(self) -> None:
        before = self._clock.monotonic() - (0 if self._desk.draining else GIVE_BACK)
        self._desk.give_back(held.task for held in self._held.take_out(before))
        first = self._held.first_to_begin()
        if first and first.claimed_at < before:
            recalled = [self._held.end(hold) for hold in self._executor.recall()]
            self._desk.give_back(held.task for held in recalled if held)

    def _end_lost(self) -> None:
        for held in self._desk.to_end:
            self._executor.end(held.hold, STOPPED)
        self._desk.to_end.clear()

    def _end_overdue(self) -> None:
        now = self._clock.monotonic()
        for held in list(self._held.begun.values()):
            if held.ending is None and held.deadline <= now:
                held.ending = Ending.TIMEOUT
                self._executor.end(held.hold, self._timeout(held))

    def _timeout(self, held: Held) -> Failure:
        retriable = any(type.retries_timeout for type in self._desk.types if type.name == held.task.type)
        return Failure("TimeoutError", f"it took longer than {held.task.timeout:g} s", retriable=retriable)

    def _drain(self) -> None:
        if not self._stops:
            return
        now = self._clock.monotonic()
        if not self._desk.draining:
            log.info("stopping: what runs may finish within %g s", self._grace)
            self._desk.draining = True
            self._stop_at = now + self._grace
        if self._stops > 1:
            self._stop_at = min(now, self._stop_at or now)
        if self._stop_at is not None and now >= self._stop_at:
            self._end_all()

    def _end_all(self) -> None:
        for held in self._held.running.values():
            if held.ending is None:
                held.ending = Ending.DRAINED
                self._executor.end(held.hold, STOPPED)

    def _is_finished(self) -> bool:
        if not self._desk.draining:
            return False
        late = self._stop_at is not None and self._clock.monotonic() > self._stop_at + FAREWELL
        return late or all(each.is_over for each in self._correspondences)

    def _patience(self) -> float:
        now = self._clock.monotonic()
        moments = [held.claimed_at + GIVE_BACK for held in islice(self._held.queued, 1)]
        moments += [held.deadline for held in self._held.begun.values() if held.ending is None]
        if self._desk.draining and self._stop_at is not None:
            moments.append(self._stop_at if now < self._stop_at else self._stop_at + FAREWELL)
        waits = [each.due_in() for each in self._correspondences]
        waits += [LONGEST_WAIT, *(moment - now for moment in moments)]
        return max(min(waits), 0)
