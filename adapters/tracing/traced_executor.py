"""An executor that records each run as a span, and gives the function its place in the trace."""

from collections.abc import Callable, Sequence

from application.ports.executor import Event, Executor, Failed, Interrupted, Run, Succeeded
from application.ports.tracer import Span, SpanKind, Tracer
from domain.failure import LOST, Failure
from domain.ids import Hold

RECALLED = "Recalled"


class TracedExecutor:
    """Implements application.ports.executor.Executor by another one. A span begins when its run is handed over."""

    def __init__(self, executor: Executor, tracer: Tracer) -> None:
        self._executor, self._tracer = executor, tracer
        self._spans: dict[Hold, Span] = {}

    @property
    def concurrency(self) -> int:
        return self._executor.concurrency

    @property
    def free(self) -> int:
        return self._executor.free

    def open(self) -> None:
        self._executor.open()

    def start(self, run: Run) -> None:
        span = self._spans[run.hold] = self._tracer.start(
            f"run {run.type}",
            SpanKind.CONSUMER,
            run.traceparent,
            flask_tasks__type=run.type,
            flask_tasks__task=run.hold.task,
            flask_tasks__attempt=run.attempt,
            flask_tasks__claim=run.hold.claim,
            flask_tasks__handler=run.hold.handler or "",
        )
        self._executor.start(run._replace(traceparent=span.traceparent))

    def end(self, hold: Hold, failure: Failure) -> None:
        self._executor.end(hold, failure)

    def recall(self) -> Sequence[Hold]:
        recalled = self._executor.recall()
        for hold in recalled:
            self._end(hold, RECALLED)
        return recalled

    def events(self, timeout: float) -> Sequence[Event]:
        events = self._executor.events(timeout)
        for event in events:
            match event:
                case Succeeded(hold):
                    self._end(hold, None)
                case Failed(hold, failure):
                    self._end(hold, failure.type)
                case Interrupted(hold):
                    self._end(hold, LOST)
        return events

    def wake(self) -> None:
        self._executor.wake()

    def close(self, seconds_left: Callable[[], float] = lambda: 0.0) -> None:
        self._executor.close(seconds_left)
        for hold in [*self._spans]:
            self._end(hold, LOST)

    def _end(self, hold: Hold, error: str | None) -> None:
        if span := self._spans.pop(hold, None):
            span.end(error)
