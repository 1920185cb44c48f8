"""The watchdog: cuts connections whose server does not answer in time."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from threading import Event, Lock, Thread
from typing import Any

MAX_ANSWER_SECONDS = 15.0
"""Seconds that a server may take for a transaction. It takes milliseconds, so a server that takes longer is away."""
CHECK_SECONDS = 0.5
"""Seconds between two checks, while any connection is watched."""


class Watchdog:
    """Cuts each watched connection after MAX_ANSWER_SECONDS, from a thread that starts with the first watch.

    A network that is cut reports it in the end, but a server that hangs never does, and the driver waits for ever.
    """

    def __init__(self) -> None:
        self._seconds = MAX_ANSWER_SECONDS
        self._watched: dict[int, tuple[float, int]] = {}
        self._numbers = count()
        self._lock = Lock()
        self._is_needed = Event()
        self._thread: Thread | None = None

    @contextmanager
    def watch(self, connection: Any) -> Iterator[None]:
        """Watch this psycopg2 connection during the block: where it takes too long, it fails as if it were cut."""
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
                    self._thread = Thread(target=self._run, name="watchdog", daemon=True)
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
            # A copy of the descriptor, as the driver closes its own.
            with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as copy:
                copy.shutdown(socket.SHUT_RDWR)
