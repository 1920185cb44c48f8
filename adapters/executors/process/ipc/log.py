"""What the runs of a child print: a file in memory that descriptors 1 and 2 of the child are.

Whoever writes there appends: Python, C libraries and programs that are started. Each run begins where the one before it
ended, so the file is read by how far it reaches, and what lies well before its end is given back.
"""

import os
from typing import NamedTuple

from adapters.executors.process.ipc.memfd import forget

MAX_LOG_BYTES = 64 * 1024
"""Bytes that are kept of what a run prints: the last ones."""
PUNCH_BYTES = 1024 * 1024
"""Bytes before the end that are not given back yet: a run that has just ended may still be read."""


class Printed(NamedTuple):
    """The last that a run has printed, up to that place of the file; `is_whole` if it is all."""

    end: int
    is_whole: bool
    tail: bytes

    def text(self) -> str:
        """With a mark where something is missing, and where something is no UTF-8."""
        return self.tail.decode(errors="replace") if self.is_whole else f"…{_from_a_character(self.tail)}"


class Log:
    """One side's view of the file: what is new there since it was last read, or told of."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._read_to = self._freed_to = 0

    def new(self) -> Printed | None:
        """What was printed since, if anything."""
        end = self._end()
        if end == self._read_to:
            return None
        start = self._read_to if self._read_to < end else 0  # shorter than before: somebody has truncated it
        self._read_to = end
        return Printed(end, end - start <= MAX_LOG_BYTES, _content(self._file, max(start, end - MAX_LOG_BYTES), end))

    def told(self, printed: Printed) -> None:
        """The other side has read that."""
        self._read_to = printed.end
        self.free()

    def free(self) -> bool:
        """Give back what nobody will read any more; whether there was much of it."""
        end = self._end()
        if end < self._freed_to:
            self._freed_to = 0
        if end - self._freed_to < 2 * PUNCH_BYTES:
            return False
        self._freed_to = forget(self._file, self._freed_to, end - PUNCH_BYTES)
        return True

    def _end(self) -> int:
        # Costs a third of fstat. The place does not matter to those who append.
        return os.lseek(self._file, 0, os.SEEK_END)


def _content(file: int, start: int, end: int) -> bytes:
    return os.pread(file, end - start, start)


def _from_a_character(tail: bytes) -> str:
    """Without the rest of one that begins before it."""
    cut = next((at for at in range(4) if tail[at : at + 1] and tail[at] & 0xC0 != 0x80), 0)
    return tail[cut:].decode(errors="replace")
