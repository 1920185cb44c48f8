"""The open streams of one kind in a process, or its waiting requests: a bounded number of threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock

MAX_PAGES = 64
"""Pages of one process that are kept up to date at once. Each occupies a thread."""
MAX_LISTS = 32
"""Lists of one process that are streamed at once. Each occupies a thread, and the memory of one page of tasks."""


class OpenStreams:
    """Admits a bounded number of threads, and lets them wait between two looks. Thread-safe."""

    def __init__(self, max_streams: int = MAX_PAGES) -> None:
        self._max_streams = max_streams
        self._open = 0
        self._lock = Lock()
        self._closed = Event()

    @contextmanager
    def admit(self) -> Iterator[bool]:
        """Whether the block may go on: not if there are too many already, or the process stops."""
        with self._lock:
            is_admitted = self._open < self._max_streams and not self._closed.is_set()
            self._open += is_admitted
        try:
            yield is_admitted
        finally:
            with self._lock:
                self._open -= is_admitted

    def wait(self, seconds: float) -> bool:
        """Wait for so many seconds. Return whether to go on: False, and at once, when the process stops."""
        return not self._closed.wait(seconds)

    def close(self) -> None:
        """End all waits, and admit no others."""
        self._closed.set()
