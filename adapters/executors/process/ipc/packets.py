"""Messages of a supervisor to its child: packets on a socket that keeps their bounds, one for each run."""

import errno
import socket
import sys
from array import array
from struct import Struct
from typing import NamedTuple

from adapters.executors.process.ipc.memfd import anonymous_file

SOCKET_KIND = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_DGRAM
MAX_INLINE_BYTES = 32 * 1024 if sys.platform == "linux" else 1024
"""Bytes of type, trace and arguments in a packet. Longer arguments travel as an open file."""

_HEAD = Struct("!QqIHB?")
MAX_PACKET_BYTES = _HEAD.size + MAX_INLINE_BYTES
_ONE_FILE_BYTES = socket.CMSG_SPACE(array("i").itemsize)
_CLOSE_ON_EXEC = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))
DONT_WAIT = int(socket.MSG_DONTWAIT)
"""Flags as plain numbers: to join those of an enum takes longer than to send a packet."""


class Packet(NamedTuple):
    """A run under its number, or under the number 0 a request to the child itself."""

    run: int
    task: int = 0
    attempt: int = 0
    type: str = ""
    args: str = ""
    traceparent: str = ""


DESCRIBE, END = Packet(0, type="describe"), Packet(0, type="end")
"""The requests to the child itself: to describe its functions, and to end."""


def pair() -> tuple[socket.socket, socket.socket]:
    """A connection: the end of the supervisor, which never blocks, and the end of the child."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, SOCKET_KIND)
    ours.setblocking(False)
    return ours, theirs


def send(to: socket.socket, packet: Packet) -> None:
    """Send the whole packet. Raises BlockingIOError: the socket is full."""
    type, args, trace = packet.type.encode(), packet.args.encode(), packet.traceparent.encode()
    has_file = len(args) + len(type) + len(trace) > MAX_INLINE_BYTES
    head = _HEAD.pack(packet.run, packet.task, packet.attempt, len(type), len(trace), has_file) + type + trace
    try:
        _send_with_file(to, head, args) if has_file else to.send(head + args)
    except OSError as error:
        if error.errno == errno.ENOBUFS:  # macOS reports a full socket so
            raise BlockingIOError from error
        raise


class Inbox:
    """Receives the packets of a socket, one at a time, into one buffer."""

    def __init__(self, socket: socket.socket) -> None:
        self._socket = socket
        self._buffer = bytearray(MAX_PACKET_BYTES)

    def receive(self, flags: int = 0) -> Packet | None:
        """Wait for the next packet; None when the other end has closed."""
        size, files, _, _ = self._socket.recvmsg_into([self._buffer], _ONE_FILE_BYTES, flags | _CLOSE_ON_EXEC)
        if not size:
            return None
        run, task, attempt, length, trace_length, has_file = _HEAD.unpack_from(self._buffer)
        rest = self._buffer[_HEAD.size : size]
        end = length + trace_length
        args = _content(files[0][2]) if has_file else rest[end:]
        return Packet(run, task, attempt, rest[:length].decode(), args.decode(), rest[length:end].decode())


def _send_with_file(to: socket.socket, head: bytes, args: bytes) -> None:
    with open(anonymous_file(), "w+b", buffering=0) as file:
        file.write(args)
        file.seek(0)
        socket.send_fds(to, [head], [file.fileno()])


def _content(descriptor: bytes) -> bytes:
    with open(array("i", descriptor)[0], "rb") as file:
        return file.read()
