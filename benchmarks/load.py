"""A client that sends requests one after the other over open connections, on one thread with little other work.

The client shares the cores with the servers, so its own work must distort the figures little.
"""

import selectors
import socket
import time
from contextlib import ExitStack

END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length: "


def request(method: str, path: str, body: str = "") -> bytes:
    """The bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n"
    return f"{head}\r\n{body}".encode()


def exchange(connection: socket.socket, sent: bytes) -> bytes:
    """Send the request; answers the whole answer. RuntimeError unless it is a success."""
    connection.sendall(sent)
    return _received(connection)


def rate(port: int, sent: bytes, connections: int, seconds: float) -> float:
    """Send the request for that many seconds over that many connections; answers requests a second."""
    with ExitStack() as stack, selectors.DefaultSelector() as ready:
        for _ in range(connections):
            connection = stack.enter_context(_connected(port))
            ready.register(connection, selectors.EVENT_READ, connection)
            connection.sendall(sent)
        number, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            for key, _ in ready.select():
                _received(key.data)
                key.data.sendall(sent)
                number += 1
        return number / took


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _received(connection: socket.socket) -> bytes:
    answer = connection.recv(65_536)
    while not _is_whole(answer):
        more = connection.recv(65_536)
        if not more:
            raise RuntimeError("the connection has ended before the answer")
        answer += more
    if not answer.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(answer.decode(errors="replace"))
    return answer


def _is_whole(answer: bytes) -> bool:
    """Whether the answer has as many bytes as its head announces."""
    end, at = answer.find(END_OF_HEAD), answer.find(LENGTH)
    if end < 0:
        return False
    length = int(answer[at + len(LENGTH) : answer.index(b"\r\n", at + 1)]) if 0 <= at < end else 0
    return len(answer) >= end + len(END_OF_HEAD) + length
