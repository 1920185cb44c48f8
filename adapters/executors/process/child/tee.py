"""Streams of which what is printed is kept in a log, and shown at once where the handler's own output goes."""

import os
import select
from contextlib import suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any

MAX_POLL_MILLISECONDS = 100
"""Milliseconds that a function waits for an onlooker who does not read. From then on it does not wait for him."""


class LiveOutput:
    """Where the handler's own output goes. One who does not read, or has gone, is no trouble to the function."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._room = select.poll()
        self._room.register(descriptor, select.POLLOUT)
        self._is_stuck = False

    def show(self, data: memoryview) -> None:
        """Piece by piece, each no longer than a pipe takes that has room at all."""
        with suppress(OSError, RuntimeError):  # RuntimeError: two threads at once, past the locks of the streams
            while data and self._has_room():
                data = data[os.write(self._descriptor, data[: select.PIPE_BUF]) :]

    def _has_room(self) -> bool:
        events = self._room.poll(0 if self._is_stuck else MAX_POLL_MILLISECONDS)
        self._is_stuck = not events
        return events == [(self._descriptor, select.POLLOUT)]


class _TeeStream(FileIO):
    """A descriptor of which the onlooker sees what is written to it, as long as it is the log."""

    def __init__(self, descriptor: int, log: int, onlooker: LiveOutput) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._log, self._onlooker = _identity(log), onlooker

    def write(self, data: Any) -> int:
        written = super().write(data)
        if _identity(self.fileno()) == self._log:  # not before it is kept, nor where a function has redirected it
            self._onlooker.show(memoryview(data).cast("B")[:written])
        return written


def stream(descriptor: int, errors: str, log: int, onlooker: int) -> TextIOWrapper:
    """Written line by line, so that what was printed is there when the process dies."""
    return TextIOWrapper(
        BufferedWriter(_TeeStream(descriptor, log, LiveOutput(onlooker))), "utf-8", errors, line_buffering=True
    )


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
