"""A page of memory that a supervisor and its child share, so that neither has to ask the other.

It holds the number of the run that is cancelled, whether the child is to end after its run, which run has begun and
when, and one progress note.
"""

import mmap
import os
from contextlib import suppress
from struct import Struct
from typing import NamedTuple

from adapters.executors.process.ipc.memfd import seal

PAGE_BYTES = mmap.PAGESIZE

_CANCELLED = Struct("=Q")
_ANNOUNCED = 8
_ENDS_AFTER_RUN = 9
_IS_ATTENTIVE = 10
_BEGUN, _BEGUN_AT = Struct("=Q"), 48
_MOMENT, _MOMENT_AT = Struct("=d"), 56
_HEAD = Struct("=QQdH")
_HEAD_AT, _MESSAGE_AT, _TAIL_AT = 16, 64, PAGE_BYTES - 8
_TAIL = Struct("=Q")
MAX_MESSAGE_BYTES = _TAIL_AT - _MESSAGE_AT


class ProgressNote(NamedTuple):
    """The progress of the run with that number. Each note has another `version`."""

    version: int
    run: int
    value: float
    message: str


class BegunRun(NamedTuple):
    """The run that goes on or went on last: its number, and when its function began.

    `is_attentive`: whether the function takes a progress object, on which it can see that it should stop.
    """

    run: int
    at: float
    is_attentive: bool


class SharedPage:
    """One side's view. The supervisor writes requests and reads the state of the run; the child does the reverse."""

    def __init__(self, file: int) -> None:
        with suppress(OSError):  # the child's side, whose file is sealed already
            os.ftruncate(file, PAGE_BYTES)
            seal(file)
        self._page = mmap.mmap(file, PAGE_BYTES)

    def cancel(self, run: int) -> None:
        """Ask the function of that run to stop."""
        _CANCELLED.pack_into(self._page, 0, run)

    def is_cancelled(self, run: int) -> bool:
        """Whether the function of that run should stop."""
        return bool(_CANCELLED.unpack_from(self._page, 0)[0] == run)

    def end_after_run(self) -> None:
        """Ask the child to run nothing after the run that goes on."""
        self._page[_ENDS_AFTER_RUN] = True

    @property
    def ends_after_run(self) -> bool:
        """Whether the child should run nothing after the run that goes on."""
        return bool(self._page[_ENDS_AFTER_RUN])

    @property
    def is_announced(self) -> bool:
        """Whether the supervisor knows of a note, and will look for the next one without being told."""
        return bool(self._page[_ANNOUNCED])

    @is_announced.setter
    def is_announced(self, value: bool) -> None:
        self._page[_ANNOUNCED] = value

    def begin(self, begun: BegunRun) -> None:
        """Write that the function of this run begins. The number comes last, so that a half-written entry has none."""
        _BEGUN.pack_into(self._page, _BEGUN_AT, 0)
        _MOMENT.pack_into(self._page, _MOMENT_AT, begun.at)
        self._page[_IS_ATTENTIVE] = begun.is_attentive
        _BEGUN.pack_into(self._page, _BEGUN_AT, begun.run)

    def begun(self) -> BegunRun | None:
        """Read which run has begun; None before the first one, while the entry is being written, and after `close`."""
        if self._page.closed:
            return None
        (run,) = _BEGUN.unpack_from(self._page, _BEGUN_AT)
        begun = BegunRun(run, _MOMENT.unpack_from(self._page, _MOMENT_AT)[0], bool(self._page[_IS_ATTENTIVE]))
        return begun if run == _BEGUN.unpack_from(self._page, _BEGUN_AT)[0] != 0 else None

    def write(self, note: ProgressNote) -> None:
        """Write a note, one writer at a time. Its version stands before and after it, to detect half of one."""
        message = note.message.encode()[:MAX_MESSAGE_BYTES]
        _HEAD.pack_into(self._page, _HEAD_AT, note.version, note.run, note.value, len(message))
        self._page[_MESSAGE_AT : _MESSAGE_AT + len(message)] = message
        _TAIL.pack_into(self._page, _TAIL_AT, note.version)

    def read(self) -> ProgressNote | None:
        """Read the note; None if there is none, while one is being written, and if it is no share from 0 to 1."""
        (tail,) = _TAIL.unpack_from(self._page, _TAIL_AT)
        message = self._page[_MESSAGE_AT:_TAIL_AT]
        version, run, value, length = _HEAD.unpack_from(self._page, _HEAD_AT)
        if version != tail or version == 0 or not 0 <= value <= 1:
            return None
        return ProgressNote(version, run, value, message[:length].decode(errors="ignore"))

    @property
    def is_closed(self) -> bool:
        """Whether this side has closed the page."""
        return self._page.closed

    def close(self) -> None:
        """Release the page on this side."""
        self._page.close()
