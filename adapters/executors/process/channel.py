"""The child's end of what connects it to its supervisor."""

import fcntl
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

from adapters.executors.process import packets
from adapters.executors.process.frames import pack
from adapters.executors.process.packets import Packet
from adapters.executors.process.reports import Report

HIGH = 16_000
"""Descriptors from here on nobody hits by accident, and the kernel's table of them is still small."""
ROOM = 8


class Channel:
    """Packets come in, frames go out. Only the process that made it can use it: a forked copy of it is none."""

    def __init__(self, inbox: int, outbox: int) -> None:
        with _room_above_the_limit() as start:
            self._inbox = socket.socket(fileno=_moved(inbox, start))
            self._outbox = _moved(outbox, start)
        self._pid = os.getpid()
        self._unsaid = b""
        self._lock = Lock()
        os.register_at_fork(after_in_child=self._forget)

    def receive(self) -> Packet | None:
        """The next packet, when it comes; None when the supervisor has gone. What is unsaid is said before a wait."""
        try:
            return packets.receive(self._inbox, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self.flush()
            return packets.receive(self._inbox)

    def note(self, report: Report) -> None:
        """Say it with what is said next."""
        kind, run, payload = report
        self._unsaid += pack(kind, self._pid, run, payload)

    def say(self, report: Report) -> None:
        """Say it now. From any thread; in a forked copy of the process, nothing is said."""
        if self.is_ours():
            with self._lock:
                self.note(report)
                self._flush()

    def flush(self) -> None:
        """Say what is unsaid."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        unsaid, self._unsaid = self._unsaid, b""
        while unsaid:
            unsaid = unsaid[os.write(self._outbox, unsaid) :]

    def is_ours(self) -> bool:
        """Whether this process made it."""
        return os.getpid() == self._pid

    def _forget(self) -> None:
        with suppress(OSError):
            self._inbox.close()
            os.close(self._outbox)


def _moved(descriptor: int, start: int) -> int:
    """The same under a number from `start` on, which no program that is started inherits."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, start)
    os.close(descriptor)
    return moved


@contextmanager
def _room_above_the_limit() -> Iterator[int]:
    """A number for descriptors that not even a function which closes all that it may have comes across."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft > HIGH or (hard != resource.RLIM_INFINITY and hard < soft + ROOM):
        yield min(soft, HIGH) - ROOM
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft + ROOM, hard))
    try:
        yield soft
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
