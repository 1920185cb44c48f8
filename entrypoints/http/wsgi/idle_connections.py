"""Connections on which nothing is sent or received any more: they end, and so do the requests that read a body there.

The server has no deadline for bodies, and a thread cannot be interrupted while it reads one.
"""

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress

MAX_IDLE_SECONDS, LOOK_SECONDS = 400.0, 10.0
"""Longer than the slowest request: 32 MiB over a line to the database that carries 100 kB a second."""
TCP_INFO = struct.Struct("=B43xI4xI")  # the state, and the milliseconds since data were last sent and last received
ESTABLISHED = 1


def end_idle_connections(port: int) -> None:
    """End idle connections to this port as long as this process lives."""
    while hasattr(socket, "TCP_INFO"):  # on Linux
        time.sleep(LOOK_SECONDS)
        end_idle(port)


def end_idle(port: int) -> None:
    """End each connection to this port that has been idle for MAX_IDLE_SECONDS."""
    for connection in own_sockets():
        with suppress(OSError):
            if port_of(connection) == port and idle_seconds(connection) > MAX_IDLE_SECONDS:
                connection.shutdown(socket.SHUT_RD)  # The answer of the request can still be sent.


def own_sockets() -> Iterator[socket.socket]:
    """Copies of the sockets of this process. The server makes its own in Rust, and shows them to nothing else."""
    for descriptor in os.listdir("/dev/fd"):
        with suppress(OSError):
            copy = os.dup(int(descriptor))
            try:
                found = socket.socket(fileno=copy)
            except OSError:
                os.close(copy)
                continue
            with found:
                yield found


def port_of(connection: socket.socket) -> int | None:
    """The port at this end of a connection; None where it is of another kind than TCP."""
    return int(connection.getsockname()[1]) if connection.family in (socket.AF_INET, socket.AF_INET6) else None


def idle_seconds(connection: socket.socket) -> float:
    """The seconds since data were last sent or received; 0 where the socket is no established connection."""
    state, *milliseconds = TCP_INFO.unpack(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size))
    return min(milliseconds) / 1000 if state == ESTABLISHED else 0.0
