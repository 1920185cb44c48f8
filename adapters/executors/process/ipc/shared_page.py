"""A page that a supervisor and its child both see, so that neither has to ask the other.

On it stand the number of a run that is no longer wanted, whether there is to be another, which run has begun and when,
and how far a run is.
"""

import mmap
import os
from struct import Struct
from typing import NamedTuple

PAGE_BYTES = mmap.PAGESIZE

_CANCELLED = Struct("=Q")
_ANNOUNCED = 8
_RETIRES = 9
_IS_ATTENTIVE = 10
_BEGUN, _BEGUN_AT = Struct("=Q"), 48
_MOMENT, _MOMENT_AT = Struct("=d"), 56
_HEAD = Struct("=QQdH")
_HEAD_AT, _MESSAGE_AT, _TAIL_AT = 16, 64, PAGE_BYTES - 8
_TAIL = Struct("=Q")
MAX_MESSAGE_BYTES = _TAIL_AT - _MESSAGE_AT
"""Bytes."""


class ProgressNote(NamedTuple):
    """How far a run is, by the number of the run; `version` tells notes apart."""

    version: int
    run: int
    value: float
    message: str


class BegunRun(NamedTuple):
    """The run that a child is at or was at last, when its function began, and whether it is handed a progress."""

    run: int
    at: float
    is_attentive: bool


class SharedPage:
    """The child reads what it is asked for and writes what it is at, the supervisor the other way round."""

    def __init__(self, file: int) -> None:
        os.ftruncate(file, PAGE_BYTES)
        self._page = mmap.mmap(file, PAGE_BYTES)

    def cancel(self, run: int) -> None:
        """That run is no longer wanted."""
        _CANCELLED.pack_into(self._page, 0, run)

    def is_cancelled(self, run: int) -> bool:
        """Whether that run is no longer wanted."""
        return bool(_CANCELLED.unpack_from(self._page, 0)[0] == run)

    def retire(self) -> None:
        """After the run that goes on, the child is to run nothing more."""
        self._page[_RETIRES] = True

    @property
    def retires(self) -> bool:
        """Whether the child is to run nothing more."""
        return bool(self._page[_RETIRES])

    @property
    def is_announced(self) -> bool:
        """Whether the supervisor knows that there is a note, and will look again for another."""
        return bool(self._page[_ANNOUNCED])

    @is_announced.setter
    def is_announced(self, value: bool) -> None:
        self._page[_ANNOUNCED] = value

    def begin(self, begun: BegunRun) -> None:
        """The function of this run begins. The number comes last, so that half of it is taken for none."""
        _BEGUN.pack_into(self._page, _BEGUN_AT, 0)
        _MOMENT.pack_into(self._page, _MOMENT_AT, begun.at)
        self._page[_IS_ATTENTIVE] = begun.is_attentive
        _BEGUN.pack_into(self._page, _BEGUN_AT, begun.run)

    def begun(self) -> BegunRun | None:
        """What the child is at; None if it has come to nothing yet, or is just about to, or after `close`."""
        if self._page.closed:
            return None
        (run,) = _BEGUN.unpack_from(self._page, _BEGUN_AT)
        begun = BegunRun(run, _MOMENT.unpack_from(self._page, _MOMENT_AT)[0], bool(self._page[_IS_ATTENTIVE]))
        return begun if run == _BEGUN.unpack_from(self._page, _BEGUN_AT)[0] != 0 else None

    def write(self, note: ProgressNote) -> None:
        """One writer at a time. The version stands before and behind the note, so that half of one can be told."""
        message = note.message.encode()[:MAX_MESSAGE_BYTES]
        _HEAD.pack_into(self._page, _HEAD_AT, note.version, note.run, note.value, len(message))
        self._page[_MESSAGE_AT : _MESSAGE_AT + len(message)] = message
        _TAIL.pack_into(self._page, _TAIL_AT, note.version)

    def read(self) -> ProgressNote | None:
        """The note; None if there is none, or if it is just being written."""
        (tail,) = _TAIL.unpack_from(self._page, _TAIL_AT)
        message = self._page[_MESSAGE_AT:_TAIL_AT]
        version, run, value, length = _HEAD.unpack_from(self._page, _HEAD_AT)
        return (
            ProgressNote(version, run, value, message[:length].decode(errors="ignore"))
            if version == tail != 0
            else None
        )

    def close(self) -> None:
        """Look at it no more."""
        self._page.close()
