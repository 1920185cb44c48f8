"""What a child tells its supervisor: frames in a pipe, each with its length, the run it speaks of and its sender."""

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

MAX_FRAME_BYTES = 32 * 1024 * 1024
"""Bytes of a payload: a result with room to spare."""


class Kind(IntEnum):
    """What a frame says. Those of no run have the number 0 for it."""

    READY = 1
    DESCRIBED = 2
    UNUSABLE = 3
    PROGRESSED = 4
    SUCCEEDED = 5
    FAILED = 6
    WORN = 7
    LOG = 8


_HEADER = Struct("!4sBIQI")
_KINDS = {int(kind): kind for kind in Kind}
_MAGIC = b"\xf7tsk"


class Frame(NamedTuple):
    """One message of the process `sender` on the run of that number."""

    kind: Kind
    sender: int
    run: int
    payload: bytes


class BrokenFrame(Exception):
    """The pipe holds something that no child of ours has written."""


def pack(kind: Kind, sender: int, run: int, payload: bytes = b"") -> bytes:
    """The frame as it goes into the pipe."""
    return _HEADER.pack(_MAGIC, kind, sender, run, len(payload)) + payload


class Unpacker:
    """Makes frames of what arrives, in whatever pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames that this piece completes. Broken if there is anything else in between."""
        arrived: bytes | bytearray = piece
        if self._rest:
            self._rest += piece
            arrived = self._rest
        start, payload = 0, _HEADER.size
        while payload <= len(arrived):
            magic, kind, sender, run, length = _HEADER.unpack_from(arrived, start)
            if magic != _MAGIC or kind not in _KINDS or length > MAX_FRAME_BYTES:
                raise BrokenFrame
            if payload + length > len(arrived):
                break
            start = payload + length
            yield Frame(_KINDS[kind], sender, run, bytes(arrived[payload:start]))
            payload = start + _HEADER.size
        if start or arrived is piece:  # else it has only grown
            self._rest = bytearray(arrived[start:])
