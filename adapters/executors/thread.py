"""An executor over threads of this process, for tests and for systems without processes. It captures no output."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread
from time import monotonic

from adapters.executors.functions.discovery import CannotImport
from adapters.executors.functions.registry import FunctionRegistry
from application.ports.executor import Described, Event, Failed, Progressed, Run, Span, Started, Succeeded, Unusable
from domain.failure import Failure
from domain.ids import Hold
from domain.progress import Progress as Share
from flask_tasks import Progress

Report = Started | Progressed | Succeeded | Failed
MAX_WAIT_SECONDS = 3600.0


class ThreadExecutor:
    """Cannot kill: a run that is ended fails at once, and later reports of its thread are dropped."""

    def __init__(self, tasks: Sequence[str], concurrency: int, directory: Path | None = None) -> None:
        self._tasks, self._directory = tasks, directory or Path.cwd()
        self._concurrency = concurrency
        self._registry: FunctionRegistry | None = None
        self._cancellations: dict[Hold, Flag] = {}
        self._reports: SimpleQueue[tuple[Flag, Report | None]] = SimpleQueue()
        self._events: list[Event] = []

    @property
    def concurrency(self) -> int:
        """The number of runs that can go on at once."""
        return self._concurrency

    @property
    def free(self) -> int:
        """The number of runs that can be started; 0 until the functions are imported."""
        return self._concurrency - len(self._cancellations) if self._registry else 0

    def open(self) -> None:
        """Import the functions into this process."""
        try:
            registry = FunctionRegistry(self._tasks, self._directory)
            self._events.append(Described(registry.types()))
            self._registry = registry
        except CannotImport as error:
            self._events.append(Unusable(str(error)))

    def start(self, run: Run) -> None:
        """Start the run in a thread of its own."""
        assert self._registry is not None, "nothing is free before the functions are known"
        cancelled = self._cancellations[run.hold] = Flag()
        Thread(target=self._run, args=(self._registry, run, cancelled), daemon=True).start()

    def end(self, hold: Hold, failure: Failure) -> None:
        """Fail the run. Its thread goes on, and can see that it should stop."""
        self._events += self._read_reports(0)
        if hold in self._cancellations:
            self._cancellations.pop(hold).set()
            self._events.append(Failed(hold, failure))

    def recall(self) -> Sequence[Hold]:
        """Give up nothing: no run waits for another one."""
        return []

    def events(self, timeout: float) -> Sequence[Event]:
        """Answer what the threads have reported."""
        reported = list(self._read_reports(0 if self._events else min(timeout, MAX_WAIT_SECONDS)))
        events, self._events = self._events + reported, []
        return events

    def wake(self) -> None:
        """End the wait of `events`. From any thread."""
        self._reports.put((Flag(), None))

    def close(self, seconds_left: Callable[[], float] = lambda: 0.0) -> None:
        """Drop all runs. Their threads go on, and can see that they should stop."""
        for cancelled in self._cancellations.values():
            cancelled.set()
        self._cancellations.clear()

    def _run(self, registry: FunctionRegistry, run: Run, cancelled: Flag) -> None:
        def report(event: Report) -> None:
            self._reports.put((cancelled, event))

        def report_progress(value: float, message: str) -> None:
            report(Progressed(run.hold, Share(value, message)))

        start = monotonic()
        report(Started(run.hold, start))
        progress = Progress(run.hold.task, run.attempt, report_progress, cancelled.is_set, run.traceparent)
        outcome = registry.perform(run.type, run.args, progress)
        span = Span(start, monotonic() - start)
        if isinstance(outcome, Failure):
            report(Failed(run.hold, outcome, "", span))
        else:
            report(Succeeded(run.hold, outcome, "", span))

    def _read_reports(self, timeout: float) -> Iterator[Event]:
        """The reports of runs that still go on. Waits for the first report or wake-up."""
        with suppress(Empty):
            while True:
                flag, event = self._reports.get(timeout > 0, timeout)
                timeout = 0
                if event is not None and self._cancellations.get(event.hold) is flag:
                    if isinstance(event, Succeeded | Failed):
                        del self._cancellations[event.hold]
                    yield event
