"""The log of a child: a file in memory behind its descriptors 1 and 2, to which its runs print.

Python, C libraries and started programs all append to it. The output of a run begins where that of the run before it
ended, so each side reads the file by its length. The memory of what lies well before the end is given back.
"""

import codecs
import os
from typing import NamedTuple

from adapters.executors.process.ipc.memfd import punch_hole

MAX_LOG_BYTES = 64 * 1024
"""Bytes that are kept of the output of a run: the last ones."""
MAX_RUNNING_LOG_BYTES = 16 * 1024
"""The same while the run goes on: they are sent and stored anew again and again."""
PUNCH_BYTES = 1024 * 1024
"""Bytes before the end whose memory is not given back yet: they may still be read for a run that has just ended."""


class Printed(NamedTuple):
    """The end of the output of a run.

    - `end`: the offset in the file up to which it reaches.
    - `is_whole`: whether it is all of the output.
    - `is_final`: whether none follows, so that half a character at the end will not be completed.
    """

    end: int
    is_whole: bool
    tail: bytes
    is_final: bool = True

    def text(self) -> str:
        """The text, with marks where output is missing and where bytes are no UTF-8."""
        tail = self.tail if self.is_whole else _from_a_character(self.tail)
        text, _ = codecs.utf_8_decode(tail, "replace", self.is_final)
        return text if self.is_whole else f"…{text}"


class Log:
    """One side's view of the file: what is new since it was last read or skipped."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._read_to = self._peeked_to = self._freed_to = 0

    def read_new(self) -> Printed | None:
        """Read the new output, if there is any."""
        printed = self._new(self._end(), MAX_LOG_BYTES)
        if printed:
            self._read_to = printed.end
        return printed

    def peek(self) -> Printed | None:
        """Read the end of the new output, which stays new; None if it has the length that it had at the last look."""
        end = self._end()
        if end == self._peeked_to:
            return None
        self._peeked_to = end
        printed = self._new(end, MAX_RUNNING_LOG_BYTES)
        return printed and printed._replace(is_final=False)

    def skip(self, printed: Printed) -> None:
        """Continue after this output, which the other side has read."""
        self._read_to = min(printed.end, self._end())
        self.free()

    def free(self) -> bool:
        """Give back the memory of output that will not be read any more. Answers whether there was much of it."""
        end = self._end()
        if end < self._freed_to:
            self._freed_to = 0
        if end - self._freed_to < 2 * PUNCH_BYTES:
            return False
        self._freed_to = punch_hole(self._file, self._freed_to, end - PUNCH_BYTES)
        return True

    def _new(self, end: int, max_bytes: int) -> Printed | None:
        """The last bytes of the output between the point up to which it was read and this end."""
        if end == self._read_to:
            return None
        start = self._read_to if self._read_to < end else 0  # shorter than before: a program has truncated the file
        return Printed(end, end - start <= max_bytes, _content(self._file, max(start, end - max_bytes), end))

    def _end(self) -> int:
        # It costs a third of fstat. Appending does not depend on the position.
        return os.lseek(self._file, 0, os.SEEK_END)


def _content(file: int, start: int, end: int) -> bytes:
    return os.pread(file, end - start, start)


def _from_a_character(tail: bytes) -> bytes:
    """The bytes from the first whole character on."""
    cut = next((at for at in range(4) if tail[at : at + 1] and tail[at] & 0xC0 != 0x80), 0)
    return tail[cut:]
