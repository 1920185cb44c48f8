"""A network that reaches allowed addresses alone, and gives up when its time is over, whatever the other side does."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpcore

from adapters.webhooks.allowed_networks import Network, may_be_called
from application.ports.webhooks import Undelivered

MAX_CONNECT_SECONDS = 5.0
"""Seconds for one address to take the connection."""

Resolve = Callable[..., Sequence[Any]]


class Deadline:
    """A moment of the host's clock."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self, most: float = 3600.0) -> float:
        """The seconds until then, at most as many as given. TimeoutError where none is left."""
        seconds = min(self._at - time.monotonic(), most)
        if seconds <= 0:
            raise TimeoutError
        return seconds


class AllowedNetwork(httpcore.NetworkBackend):
    """Looks a name up once, and connects to the very addresses that it has checked."""

    def __init__(self, networks: Sequence[Network], deadline: Deadline, resolve: Resolve) -> None:
        self._networks = networks
        self._deadline = deadline
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Undelivered where no address of the host may be called; OSError where none answers."""
        failure: OSError | None = None
        for family, address in self._allowed(host, port):
            try:
                return Stream(self._connected(family, address), self._deadline)
            except OSError as error:
                failure = error
        # Not which addresses it has: the names of a private network are nobody's business.
        raise failure or Undelivered("its host has no public address, nor one of WEBHOOK_NETWORKS")

    def _allowed(self, host: str, port: int) -> Iterator[tuple[int, Any]]:
        found = self._resolve(host, port, type=socket.SOCK_STREAM)
        return ((family, address) for family, *_, address in found if may_be_called(address[0], self._networks))

    def _connected(self, family: int, address: Any) -> socket.socket:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._deadline.left(MAX_CONNECT_SECONDS))
            connection.connect(address)
        except BaseException:
            connection.close()
            raise
        return connection


class Stream(httpcore.NetworkStream):
    """A connection whose every step ends before the deadline."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._connection.settimeout(self._deadline.left())
        return self._connection.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _early_answers_read():
            rest = memoryview(buffer)
            while rest:
                self._connection.settimeout(self._deadline.left())
                rest = rest[self._connection.send(rest) :]

    def close(self) -> None:
        self._connection.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            self._connection.settimeout(self._deadline.left())
            secured = ssl_context.wrap_socket(self._connection, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        return Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return None


@contextmanager
def _early_answers_read() -> Iterator[None]:
    """Who closes before the end of the message may have answered it: httpcore reads on after its own error alone."""
    try:
        yield
    except ConnectionError as error:
        raise httpcore.WriteError(str(error)) from error
