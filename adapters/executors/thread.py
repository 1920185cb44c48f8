"""An executor over threads of this process, for tests and for systems without processes. It captures no output."""

from collections.abc import Iterator, Sequence
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

Said = Started | Progressed | Succeeded | Failed
MAX_WAIT_SECONDS = 3600.0


class ThreadExecutor:
    """Cannot kill: a run that is ended has failed at once, and what its thread does later is of no account."""

    def __init__(self, tasks: Sequence[str], concurrency: int, directory: Path | None = None) -> None:
        self._tasks, self._directory = tasks, directory or Path.cwd()
        self._concurrency = concurrency
        self._repertoire: FunctionRegistry | None = None
        self._going_on: dict[Hold, Flag] = {}
        self._said: SimpleQueue[tuple[Flag, Said | None]] = SimpleQueue()
        self._events: list[Event] = []

    @property
    def concurrency(self) -> int:
        """As many as was asked for."""
        return self._concurrency

    @property
    def free(self) -> int:
        """What is left of them."""
        return self._concurrency - len(self._going_on) if self._repertoire else 0

    def open(self) -> None:
        """Import the functions into this process."""
        try:
            repertoire = FunctionRegistry(self._tasks, self._directory)
            self._events.append(Described(repertoire.types()))
            self._repertoire = repertoire
        except CannotImport as error:
            self._events.append(Unusable(str(error)))

    def start(self, run: Run) -> None:
        """In a thread of its own."""
        assert self._repertoire is not None, "nothing is free before the functions are known"
        cancelled = self._going_on[run.hold] = Flag()
        Thread(target=self._run, args=(self._repertoire, run, cancelled), daemon=True).start()

    def end(self, hold: Hold, failure: Failure) -> None:
        """The thread goes on, but nobody listens to it any more; it can see so."""
        self._events += self._heard(0)
        if hold in self._going_on:
            self._going_on.pop(hold).set()
            self._events.append(Failed(hold, failure))

    def recall(self) -> Sequence[Hold]:
        """No run waits for another."""
        return []

    def events(self, timeout: float) -> Sequence[Event]:
        """What the threads said."""
        heard = list(self._heard(0 if self._events else min(timeout, MAX_WAIT_SECONDS)))
        events, self._events = self._events + heard, []
        return events

    def wake(self) -> None:
        """From any thread."""
        self._said.put((Flag(), None))

    def close(self) -> None:
        """Listen to nobody any more."""
        for cancelled in self._going_on.values():
            cancelled.set()
        self._going_on.clear()

    def _run(self, repertoire: FunctionRegistry, run: Run, cancelled: Flag) -> None:
        def say(event: Said) -> None:
            self._said.put((cancelled, event))

        def report(value: float, message: str) -> None:
            say(Progressed(run.hold, Share(value, message)))

        start = monotonic()
        say(Started(run.hold, start))
        outcome = repertoire.perform(run.type, run.args, Progress(run.hold.task, run.attempt, report, cancelled.is_set))
        span = Span(start, monotonic() - start)
        if isinstance(outcome, Failure):
            say(Failed(run.hold, outcome, "", span))
        else:
            say(Succeeded(run.hold, outcome, "", span))

    def _heard(self, timeout: float) -> Iterator[Event]:
        """What those said that still go on. Waits for the first to say something, or to call."""
        with suppress(Empty):
            while True:
                flag, event = self._said.get(timeout > 0, timeout)
                timeout = 0
                if event is not None and self._going_on.get(event.hold) is flag:
                    if isinstance(event, Succeeded | Failed):
                        del self._going_on[event.hold]
                    yield event
