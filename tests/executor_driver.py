"""Driver of an executor through its port, for the tests of several suites."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from adapters.executors.process.pool.child_limits import UNLIMITED, Limits
from adapters.executors.process.pool.executor import ProcessExecutor
from application.ports.executor import Event, Executor, Failed, Interrupted, Run, Started, Succeeded, Unusable
from domain.failure import Failure
from domain.ids import Claim, HandlerId, Hold, TaskId, TypeName
from domain.traceparent import Traceparent

USER_FUNCTIONS = "tests/user_functions.py"

MAX_WAIT_SECONDS = 30.0
"""Seconds after which an event that has not happened fails the test."""
TIMEOUT = Failure("TimeoutError", "too long")

_tasks = count(1)


class Driver:
    """An executor, and all events that were received from it."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.received: list[Event] = []

    def until(self, condition: Callable[[], object]) -> Any:
        """Receive events until the condition is true, and answer its value."""
        end = time.monotonic() + MAX_WAIT_SECONDS
        while not (value := condition()):
            assert time.monotonic() < end, f"it never became true; the last events are {self.received[-20:]}"
            self.received += self.executor.events(1)
        return value

    def open(self) -> "Driver":
        """Open the executor, and wait until all its slots are free or its functions are unusable."""
        self.executor.open()
        self.until(lambda: self.received and (self._are_all_free() or isinstance(self.received[0], Unusable)))
        return self

    def start(
        self,
        type: str,
        args: object = None,
        *,
        attempt: int = 1,
        text: str | None = None,
        trace: Traceparent | None = None,
    ) -> Hold:
        """Start a new task, as soon as the executor can take one."""
        self.until(lambda: self.executor.free)
        hold = Hold(TaskId(next(_tasks)), Claim(1), HandlerId("handler-1"))
        text = json.dumps(args or {}) if text is None else text
        self.executor.start(Run(hold, TypeName(type), attempt, text, trace))
        return hold

    def of(self, hold: Hold, *kinds: type) -> list[Any]:
        """The events of that run, of these kinds if any are given."""
        received = [each for each in self.received if getattr(each, "hold", None) == hold]
        return [each for each in received if isinstance(each, kinds or object)]

    def started(self, hold: Hold) -> Started:
        """Wait for the event that the function of that run began."""
        return self.until(lambda: self.of(hold, Started))[0]

    def outcome(self, hold: Hold) -> Succeeded | Failed:
        """Wait for the end of that run."""
        return self.until(lambda: self.of(hold, Succeeded, Failed, Interrupted))[0]

    def run(self, type: str, args: object = None, **options: Any) -> Succeeded | Failed:
        """Start a task, and wait for its end."""
        return self.outcome(self.start(type, args, **options))

    def result(self, type: str, args: object = None, **options: Any) -> Any:
        """Start a task that succeeds, and answer its result, read from its JSON text."""
        outcome = self.run(type, args, **options)
        assert isinstance(outcome, Succeeded), outcome
        return json.loads(outcome.result)

    def failure(self, type: str, args: object = None, **options: Any) -> Failure:
        """Start a task that fails, and answer its failure."""
        outcome = self.run(type, args, **options)
        assert isinstance(outcome, Failed), outcome
        return outcome.failure

    def all_free(self) -> None:
        """Wait until every slot can take a run."""
        self.until(self._are_all_free)

    def outcomes(self, holds: Sequence[Hold]) -> list[Succeeded | Failed]:
        """Wait for the ends of these runs, and answer them in the order given."""
        return [self.outcome(hold) for hold in holds]

    def _are_all_free(self) -> bool:
        return self.executor.free >= self.executor.concurrency


@contextmanager
def processes(functions: str) -> Iterator[Callable[..., Driver]]:
    """A function that opens executors over processes, with these functions by default. All are closed in the end."""
    executors: list[ProcessExecutor] = []

    def open(*tasks: str, concurrency: int = 1, limits: Limits = UNLIMITED) -> Driver:
        executors.append(ProcessExecutor(tasks or [functions], concurrency, limits=limits))
        return Driver(executors[-1]).open()

    try:
        yield open
    finally:
        for executor in executors:
            executor.close()
