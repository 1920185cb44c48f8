"""Driving an executor through its port, as the tests of several suites do."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from adapters.executors.process.pool.executor import ProcessExecutor
from adapters.executors.process.pool.limits import UNLIMITED, Limits
from application.ports.executor import Event, Executor, Failed, Run, Started, Succeeded, Unusable
from domain.failure import Failure
from domain.ids import Claim, Hold, TaskId, TypeName

PATIENCE = 30.0
"""Seconds after which something that has not happened never will."""
TIMEOUT = Failure("TimeoutError", "too long")

_tasks = count(1)


class Driver:
    """An executor, and everything that it has said."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.heard: list[Event] = []

    def until(self, happened: Callable[[], object]) -> Any:
        """Listen until that is true, and answer what it is then."""
        end = time.monotonic() + PATIENCE
        while not (found := happened()):
            assert time.monotonic() < end, f"it never happened; what did is {self.heard[-20:]}"
            self.heard += self.executor.events(1)
        return found

    def open(self) -> "Driver":
        """Until all places are free, or there is no use in waiting."""
        self.executor.open()
        self.until(lambda: self.heard and (self._are_all_free() or isinstance(self.heard[0], Unusable)))
        return self

    def start(self, type: str, args: object = None, *, attempt: int = 1, text: str | None = None) -> Hold:
        """Start a task that nobody has seen before, as soon as there is room."""
        self.until(lambda: self.executor.free)
        hold = Hold(TaskId(next(_tasks)), Claim(1))
        text = json.dumps(args or {}) if text is None else text
        self.executor.start(Run(hold, TypeName(type), attempt, text))
        return hold

    def of(self, hold: Hold, *kinds: type) -> list[Any]:
        """What was said of that run, or of these kinds of it."""
        heard = [each for each in self.heard if getattr(each, "hold", None) == hold]
        return [each for each in heard if isinstance(each, kinds or object)]

    def started(self, hold: Hold) -> Started:
        """That its function began."""
        return self.until(lambda: self.of(hold, Started))[0]

    def outcome(self, hold: Hold) -> Succeeded | Failed:
        """How it ended."""
        return self.until(lambda: self.of(hold, Succeeded, Failed))[0]

    def run(self, type: str, args: object = None, **options: Any) -> Succeeded | Failed:
        """Start a task, and answer how it ended."""
        return self.outcome(self.start(type, args, **options))

    def result(self, type: str, args: object = None, **options: Any) -> Any:
        """What the function returned, read from its JSON text."""
        outcome = self.run(type, args, **options)
        assert isinstance(outcome, Succeeded), outcome
        return json.loads(outcome.result)

    def failure(self, type: str, args: object = None, **options: Any) -> Failure:
        """Why the function failed."""
        outcome = self.run(type, args, **options)
        assert isinstance(outcome, Failed), outcome
        return outcome.failure

    def all_free(self) -> None:
        """Wait until every place can take a run."""
        self.until(self._are_all_free)

    def outcomes(self, holds: Sequence[Hold]) -> list[Succeeded | Failed]:
        """How they ended, in the order given."""
        return [self.outcome(hold) for hold in holds]

    def _are_all_free(self) -> bool:
        return self.executor.free >= self.executor.concurrency


@contextmanager
def processes(functions: str) -> Iterator[Callable[..., Driver]]:
    """Opens executors over processes, with these functions unless others are named, and closes them all in the end."""
    executors: list[ProcessExecutor] = []

    def open(*tasks: str, concurrency: int = 1, limits: Limits = UNLIMITED) -> Driver:
        executors.append(ProcessExecutor(tasks or [functions], concurrency, limits=limits))
        return Driver(executors[-1]).open()

    try:
        yield open
    finally:
        for executor in executors:
            executor.close()
