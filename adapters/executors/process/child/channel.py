"""The child's end of what connects it to its supervisor."""

import os
import socket
from contextlib import suppress
from threading import Lock

from adapters.executors.process.child.descriptors import moved
from adapters.executors.process.ipc.frames import pack
from adapters.executors.process.ipc.packets import DONT_WAIT, Inbox, Packet
from adapters.executors.process.ipc.reports import Report


class Channel:
    """Packets come in, frames go out. Only the process that made it can use it: a forked copy of it is none."""

    def __init__(self, inbox: int, outbox: int) -> None:
        self._socket = socket.socket(fileno=moved(inbox))
        self._inbox = Inbox(self._socket)
        self._outbox = moved(outbox)
        self._pid = os.getpid()
        self._unsaid = b""
        self._lock = Lock()
        os.register_at_fork(after_in_child=self._forget)

    def receive(self) -> Packet | None:
        """The next packet, when it comes; None when the supervisor has gone. What is unsaid is said before a wait."""
        try:
            return self._inbox.receive(DONT_WAIT)
        except BlockingIOError:
            self.flush()
            return self._inbox.receive()

    def note(self, *reports: Report) -> None:
        """Say these things with what is said next."""
        sender = os.getpid()
        frames = [pack(kind, sender, run, payload) for kind, run, payload in reports]
        with self._lock:
            self._unsaid += b"".join(frames)

    def say(self, *reports: Report) -> None:
        """Say these things now. From any thread; but in a forked copy of the process, nothing is said."""
        if self.is_ours():
            self.note(*reports)
            self.flush()

    def is_ours(self) -> bool:
        """Whether this process made it."""
        return os.getpid() == self._pid

    def flush(self) -> None:
        """Say what is unsaid."""
        if not self._unsaid:
            return
        with self._lock:
            unsaid, self._unsaid = self._unsaid, b""
            while unsaid:
                unsaid = unsaid[os.write(self._outbox, unsaid) :]

    def _forget(self) -> None:
        with suppress(OSError):
            self._socket.close()
            os.close(self._outbox)
