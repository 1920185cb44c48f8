"""Standard output and standard error that make no thread wait: a thread writes what the others print and log."""

import atexit
import io
import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, RLock, Thread

MAX_WAITING_TEXTS = 1_000
"""Texts that wait to be written; what is printed beyond them is dropped."""
MAX_TEXT_CHARACTERS = 100_000
MAX_DRAIN_SECONDS = 1.0
"""Seconds that the end of the process waits until the waiting texts are written."""


class LogStream(io.TextIOBase):
    """A text stream to a descriptor. Where nothing reads it, texts are dropped, and their lines are counted.

    Characters that the encoding lacks are escaped. The thread starts with the first text, again in a forked process.

    `form`: makes a log line of the sentence that says how many were dropped.
    """

    encoding = "utf-8"
    _incomplete: str

    def __init__(self, descriptor: int, encoding: str = "utf-8") -> None:
        self._descriptor, self.encoding = descriptor, encoding
        self.form: Callable[[str], str] = str
        self._start_anew()
        os.register_at_fork(after_in_child=self._start_anew)

    def write(self, text: str) -> int:
        """Hand all complete lines to the thread, or drop them."""
        # Reentrant: a signal handler may print while the main thread is here.
        with self._lock:
            lines, end, self._incomplete = (self._incomplete + text).rpartition("\n")
            self._hand_over(lines + end)
        return len(text)

    def flush(self) -> None:
        """Hand an incomplete line to the thread too. Waits for nothing."""
        with self._lock:
            line, self._incomplete = self._incomplete, ""
            self._hand_over(line)

    def drain(self) -> None:
        """Wait until everything is written, for MAX_DRAIN_SECONDS at most."""
        self.flush()
        if self._thread:
            reached = Event()
            self._waiting.put(reached)
            reached.wait(MAX_DRAIN_SECONDS)

    def fileno(self) -> int:
        return self._descriptor

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def _start_anew(self) -> None:
        self._lock = RLock()
        self._waiting: SimpleQueue[str | Event] = SimpleQueue()
        self._incomplete = ""
        self._dropped = 0
        self._thread: Thread | None = None

    def _hand_over(self, text: str) -> None:
        if not text:
            return
        if self._waiting.qsize() < MAX_WAITING_TEXTS:
            self._waiting.put(self._notice() + text[:MAX_TEXT_CHARACTERS])
            self._start()
        else:
            self._dropped += max(1, text.count("\n"))

    def _start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._run, name="log", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            match self._waiting.get():
                case Event() as reached:
                    reached.set()
                case text:
                    self._write_out(text)
            if self._waiting.empty():
                with self._lock:
                    notice = self._notice()
                self._write_out(notice)

    def _notice(self) -> str:
        """A line that says how many were dropped since the last one; nothing where none was."""
        dropped, self._dropped = self._dropped, 0
        sentence = f"{dropped} log lines were dropped, since nothing read the log"
        return f"{self.form(sentence)}\n" if dropped else ""

    def _write_out(self, text: str) -> None:
        data = text.encode(self.encoding, "backslashreplace")
        with suppress(OSError, ValueError):  # The reader has gone, or the descriptor.
            while data:
                try:
                    data = data[os.write(self._descriptor, data) :]
                except BlockingIOError:
                    select.select([], [self._descriptor], [])


def install() -> None:
    """Replace Python's standard streams: logs, warnings, tracebacks and prints make no thread wait any more."""
    if not isinstance(sys.stderr, LogStream):
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # None where the descriptor is closed
        sys.stdout, sys.stderr = LogStream(1, encoding), LogStream(2, encoding)
        atexit.register(drain)


def drain() -> None:
    """Wait a moment until everything that was printed is written: the process ends."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, LogStream):
            stream.drain()
