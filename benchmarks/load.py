"""Requests over connections that stay open, one after the other on each; a client as light as Python allows."""

import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


def request(method: str, path: str, body: str = "") -> bytes:
    """As it goes over the wire."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n"
    return f"{head}\r\n{body}".encode()


def answered(connection: socket.socket, sent: bytes) -> bytes:
    """The whole answer. RuntimeError where it is no success."""
    connection.sendall(sent)
    answer = b""
    while True:
        answer += connection.recv(65_536)
        head, separator, rest = answer.partition(b"\r\n\r\n")
        if separator and (length := LENGTH.search(head)) and len(rest) >= int(length[1]):
            break
    if not answer.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(answer.decode(errors="replace"))
    return answer


def rate(port: int, sent: bytes, connections: int, seconds: float) -> float:
    """Requests a second."""
    with ThreadPoolExecutor(connections) as pool:
        counts = pool.map(lambda _: _requests(port, sent, time.perf_counter() + seconds), range(connections))
        return sum(counts) / seconds


def _requests(port: int, sent: bytes, end: float) -> int:
    number = 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < end:
            answered(connection, sent)
            number += 1
    return number
