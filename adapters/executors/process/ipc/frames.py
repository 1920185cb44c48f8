"""Messages of a child to its supervisor: frames in a pipe, with their length, sender and run."""

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple


class Kind(IntEnum):
    """The meaning of a frame. A frame of the child itself has 0 for the number of a run.

    - READY: the functions were imported; the payload is their version.
    - DESCRIBED: the types that they serve.
    - UNUSABLE: why they cannot be imported.
    - PROGRESSED: a run has written a progress note on the shared page.
    - SUCCEEDED, FAILED: the outcome of a run.
    - LAST_RUN: the child runs nothing after the run whose outcome comes next; the payload is the reason, if it is one
      that the author of the function can mend.
    - LOG: the end of the output of a run.
    - EXITED: the child has called the functions for its end, and waits to be killed.
    """

    READY = 1
    DESCRIBED = 2
    UNUSABLE = 3
    PROGRESSED = 4
    SUCCEEDED = 5
    FAILED = 6
    LAST_RUN = 7
    LOG = 8
    EXITED = 9


MAX_PAYLOAD_BYTES = {
    Kind.READY: 1024 * 1024,
    Kind.DESCRIBED: 32 * 1024 * 1024,
    Kind.UNUSABLE: 1024 * 1024,
    Kind.PROGRESSED: 0,
    Kind.SUCCEEDED: 17 * 1024 * 1024,
    Kind.FAILED: 512 * 1024,
    Kind.LAST_RUN: 2 * 1024,
    Kind.LOG: 128 * 1024,
    Kind.EXITED: 0,
}
"""Bytes of a payload of each kind: a little more than any child sends."""
SCRIBBLED = "something else wrote into the pipe between its process and the handler"

_HEADER = Struct("!4sBIQI")
_NO_KIND: tuple[Kind | None, int] = None, -1
_KINDS: dict[int, tuple[Kind | None, int]] = {int(kind): (kind, MAX_PAYLOAD_BYTES[kind]) for kind in Kind}
_MAGIC = b"\xf7tsk"


class Frame(NamedTuple):
    """One message that the process `sender` wrote about the run of that number."""

    kind: Kind
    sender: int
    run: int
    payload: bytes


class BrokenReport(Exception):
    """The pipe holds something that no child has written as a report. The message says what is wrong."""


def pack(kind: Kind, sender: int, run: int, payload: bytes = b"") -> bytes:
    """The bytes of a frame."""
    return _HEADER.pack(_MAGIC, kind, sender, run, len(payload)) + payload


class Unpacker:
    """Reads frames from bytes that arrive in pieces of any length."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames that this piece completes. Raises BrokenReport: there is something else between them."""
        arrived: bytes | bytearray = piece
        if self._rest:
            self._rest += piece
            arrived = self._rest
        start, payload = 0, _HEADER.size
        while payload <= len(arrived):
            magic, kind, sender, run, length = _HEADER.unpack_from(arrived, start)
            known, max_length = _KINDS.get(kind, _NO_KIND)
            if magic != _MAGIC or known is None or length > max_length:
                raise BrokenReport(SCRIBBLED)
            if payload + length > len(arrived):
                break
            start = payload + length
            yield Frame(known, sender, run, bytes(arrived[payload:start]))
            payload = start + _HEADER.size
        if start or arrived is piece:  # otherwise the rest has only grown
            self._rest = bytearray(arrived[start:])
