"""A watch over connections: one whose server does not answer is given up, as if it had been cut."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from threading import Event, Lock, Thread
from typing import Any

CHECK_SECONDS = 0.5
"""Seconds between two looks, while anything is watched."""


class Watchdog:
    """A network that is cut says so in the end, a server that hangs never does, and the driver waits for ever."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._watched: dict[int, tuple[float, int]] = {}
        self._numbers = count()
        self._lock = Lock()
        self._is_needed = Event()
        self._thread: Thread | None = None

    @contextmanager
    def over(self, connection: Any) -> Iterator[None]:
        """What is asked over this psycopg2 connection meanwhile is answered in time, or fails as if it were cut."""
        number = next(self._numbers)
        with self._lock:
            self._watched[number] = time.monotonic() + self._seconds, connection.fileno()
        self._wake()
        try:
            yield
        finally:
            with self._lock:
                self._watched.pop(number, None)

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
            time.sleep(CHECK_SECONDS)

    def _cut_overdue(self) -> None:
        now = time.monotonic()
        for number in [each for each, (deadline, _) in self._watched.items() if deadline <= now]:
            _, descriptor = self._watched.pop(number)
            with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as ours:
                ours.shutdown(socket.SHUT_RDWR)
