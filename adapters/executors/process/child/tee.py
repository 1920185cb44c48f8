"""Streams whose output goes into a log and, at the same time, to the handler's own output."""

import os
import select
from contextlib import suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any

MAX_POLL_MILLISECONDS = 100
"""Milliseconds that a function waits for a reader of the handler's output. It waits no more until there is one."""


class LiveOutput:
    """The handler's own output. A reader that does not read, or has gone, does not stop the function."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._is_stuck = False

    def write(self, data: memoryview) -> None:
        """Write in pieces, each no longer than a pipe takes at once that is not full."""
        with suppress(OSError, RuntimeError):  # RuntimeError: two threads at once, past the locks of the streams
            while data and self._is_writable():
                data = data[os.write(self._descriptor, data[: select.PIPE_BUF]) :]

    def _is_writable(self) -> bool:
        events = self._poll.poll(0 if self._is_stuck else MAX_POLL_MILLISECONDS)
        self._is_stuck = not events
        return events == [(self._descriptor, select.POLLOUT)]


class _TeeStream(FileIO):
    """A descriptor whose output is written to the handler's own output too, as long as it is the log."""

    def __init__(self, descriptor: int, log: int, handler_output: LiveOutput) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._log, self._handler_output = _identity(log), handler_output

    def write(self, data: Any) -> int:
        written = super().write(data)
        if _identity(self.fileno()) == self._log:  # not before `capture`, nor where a function has redirected it
            self._handler_output.write(memoryview(data).cast("B")[:written])
        return written


def stream(descriptor: int, errors: str, log: int, handler_output: int) -> TextIOWrapper:
    """A text stream that writes line by line, so that its output is there when the process dies."""
    return TextIOWrapper(
        BufferedWriter(_TeeStream(descriptor, log, LiveOutput(handler_output))), "utf-8", errors, line_buffering=True
    )


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
