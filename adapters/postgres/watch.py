"""A watch over connections: one whose server does not answer is given up, as if it had been cut."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Any

LOOK = 0.5
"""Seconds between two looks, while anything is watched."""


class Watch:
    """A network that is cut says so in the end, a server that hangs never does, and the driver waits for ever."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._watched: dict[int, tuple[float, int]] = {}
        self._lock = Lock()
        self._is_needed = Event()
        self._thread: Thread | None = None

    @contextmanager
    def over(self, connection: Any) -> Iterator[None]:
        """What is asked over this psycopg2 connection meanwhile is answered in time, or fails as if it were cut."""
        key = id(connection)
        with self._lock:
            self._watched[key] = time.monotonic() + self._seconds, connection.fileno()
        self._wake()
        try:
            yield
        finally:
            with self._lock:
                del self._watched[key]

    def _wake(self) -> None:
        if not self._is_needed.is_set():
            self._is_needed.set()
            with self._lock:
                if self._thread is None:
                    self._thread = Thread(target=self._run, name="watch", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while self._is_needed.wait():
            with self._lock:
                self._cut_overdue()
                if not self._watched:
                    self._is_needed.clear()
            time.sleep(LOOK)

    def _cut_overdue(self) -> None:
        now = time.monotonic()
        for deadline, descriptor in self._watched.values():
            if deadline <= now:
                with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as ours:
                    ours.shutdown(socket.SHUT_RDWR)
