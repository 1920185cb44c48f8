"""The child's end of the connection to its supervisor."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Lock

from adapters.executors.process.child.descriptors import moved
from adapters.executors.process.ipc.frames import pack
from adapters.executors.process.ipc.packets import DONT_WAIT, Inbox, Packet
from adapters.executors.process.ipc.reports import Report


class Channel:
    """Receives packets and sends frames. Only the process that made it can use it; forked copies cannot."""

    def __init__(self, inbox: int, outbox: int) -> None:
        self._socket = socket.socket(fileno=moved(inbox))
        self._inbox = Inbox(self._socket)
        self._outbox = moved(outbox)
        self._pid = os.getpid()
        self._unsent = b""
        self._lock = Lock()
        os.register_at_fork(after_in_child=self._close_in_copy)

    def receive(self, before_wait: Callable[[], None]) -> Packet | None:
        """Wait for the next packet; None when the supervisor has gone. `before_wait` is called if none is there yet."""
        try:
            return self._inbox.receive(DONT_WAIT)
        except BlockingIOError:
            before_wait()
            return self._inbox.receive()

    def buffer(self, *reports: Report) -> None:
        """Send these reports together with what is sent next."""
        sender = os.getpid()
        frames = [pack(kind, sender, run, payload) for kind, run, payload in reports]
        with self._lock:
            self._unsent += b"".join(frames)

    def send(self, *reports: Report) -> None:
        """Send these reports now, from any thread. In a forked copy of the process, nothing is sent."""
        if self.is_original():
            self.buffer(*reports)
            self.flush()

    def is_original(self) -> bool:
        """Whether this is the process that made the channel, and no forked copy of it."""
        return os.getpid() == self._pid

    def flush(self) -> None:
        """Send what is unsent."""
        if not self._unsent:
            return
        with self._lock:
            unsent, self._unsent = self._unsent, b""
            while unsent:
                unsent = unsent[os.write(self._outbox, unsent) :]

    def _close_in_copy(self) -> None:
        with suppress(OSError):
            self._socket.close()
            os.close(self._outbox)
