"""The watchdog: cuts connections whose server does not answer in time."""

import os
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from math import inf
from threading import Event, Lock, Thread
from typing import Any

MAX_ANSWER_SECONDS = 15.0
"""Seconds that a server may take for a transaction, or be silent in one that moves many bytes.

It takes milliseconds, so a server that takes longer is away.
"""
MIN_BYTES_PER_SECOND = 100_000
"""Bytes that have to move in each second beyond MAX_ANSWER_SECONDS."""
MAX_UNCOUNTED_SECONDS = 45.0
"""Seconds for a transaction where the system does not count bytes. Local sockets need none of them, but a proxy behind
one may send 30 MiB over a line of 1 MB/s."""
CHECK_SECONDS = 0.5
"""Seconds between two checks, while any connection is watched."""
TCP_INFO_BYTES, ACKED_AND_RECEIVED = 136, struct.Struct("120x2Q")
"""The part of Linux's `struct tcp_info` that ends with the numbers of bytes acknowledged and received."""


@dataclass(slots=True)
class _Watch:
    """A connection that is watched.

    - `seconds`: how long its server may be silent.
    - `moved`: bytes that have moved on it since the first check; None where the system does not count them.
    - `moved_at`: the time at which bytes were last seen to move.
    """

    descriptor: int
    seconds: float
    began_at: float
    moved_at: float
    count_at_first: int | None = None
    moved: int | None = 0

    def note_bytes(self, now: float) -> None:
        """Note how many bytes have moved by now."""
        counted = moved_bytes(self.descriptor)
        if counted is None:
            self.moved = None
            return
        if self.count_at_first is None:
            self.count_at_first = counted
        moved = counted - self.count_at_first
        if moved != self.moved:
            self.moved, self.moved_at = moved, now

    def is_overdue(self, now: float) -> bool:
        """Whether the server is silent for too long, or takes longer than its bytes allow."""
        if self.moved is None:
            return now >= self.began_at + max(self.seconds, MAX_UNCOUNTED_SECONDS)
        return now >= min(self.moved_at, self.began_at + self.moved / MIN_BYTES_PER_SECOND) + self.seconds


class Watchdog:
    """Cuts each watched connection that stands still, from a thread that starts with the first watch.

    A network that is cut reports it in the end, but a server that hangs never does, and the driver waits for ever. The
    deadline grows with the bytes that have moved: a slow line is no outage.
    """

    def __init__(self) -> None:
        self._seconds = MAX_ANSWER_SECONDS
        self._watched: dict[int, _Watch] = {}
        self._numbers = count()
        self._lock = Lock()
        self._is_needed = Event()
        self._thread: Thread | None = None

    @contextmanager
    def watch(self, connection: Any, seconds: float = inf) -> Iterator[None]:
        """Watch this psycopg2 connection during the block: where it takes too long, it fails as if it were cut.

        `seconds`: how long its server may be silent, if that is less than otherwise.
        """
        number, now = next(self._numbers), time.monotonic()
        with self._lock:
            self._watched[number] = _Watch(connection.fileno(), min(seconds, self._seconds), now, now)
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
            # Most transactions have ended by then: to look at them costs nothing, and holds up none that begins.
            time.sleep(CHECK_SECONDS)
            with self._lock:
                self._cut_overdue()
                if not self._watched:
                    self._is_needed.clear()

    def _cut_overdue(self) -> None:
        now = time.monotonic()
        for number, watch in list(self._watched.items()):
            watch.note_bytes(now)
            if watch.is_overdue(now):
                del self._watched[number]
                with suppress(OSError), _copy_of(watch.descriptor) as copy:
                    copy.shutdown(socket.SHUT_RDWR)


def moved_bytes(descriptor: int) -> int | None:
    """The bytes that the peer of this TCP socket has acknowledged and sent; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    try:
        with _copy_of(descriptor) as copy:
            info = copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
        acknowledged, received = ACKED_AND_RECEIVED.unpack(info)
        return int(acknowledged + received)
    except (OSError, struct.error):  # a local socket, one that was closed meanwhile, or an old kernel
        return None


def _copy_of(descriptor: int) -> socket.socket:
    """A socket with a copy of the descriptor, as the driver closes its own."""
    return socket.socket(fileno=os.dup(descriptor))
