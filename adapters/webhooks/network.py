"""A network backend for httpcore that connects to allowed addresses alone, and ends every step before a deadline."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpcore

from adapters.webhooks.allowed_networks import Network, is_allowed

MAX_CONNECT_SECONDS = 5.0
"""Seconds for the connection to one address."""

Resolve = Callable[..., Sequence[Any]]


class NoAllowedAddress(Exception):
    """its host has no public address, nor one of WEBHOOK_NETWORKS"""

    # The addresses are not named: those of a private network are not for the client that named the host.
    def __str__(self) -> str:
        return self.__doc__ or ""


class Deadline:
    """The moment, on the host's monotonic clock, that is so many seconds away."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self, max_seconds: float = 3600.0) -> float:
        """The seconds until then, at most `max_seconds`. Raises TimeoutError: none is left."""
        seconds = min(self._at - time.monotonic(), max_seconds)
        if seconds <= 0:
            raise TimeoutError
        return seconds


class AllowedNetwork(httpcore.NetworkBackend):
    """Resolves a host once, checks its addresses, and connects to one that it has checked."""

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
        """The connection to the first allowed address that takes it.

        Raises NoAllowedAddress: the host has none.
        Raises OSError: the host cannot be resolved, or none of its allowed addresses takes the connection.
        """
        failure: OSError | None = None
        for family, address in self._allowed(host, port):
            try:
                return Stream(self._connected(family, address), self._deadline)
            except OSError as error:
                failure = error
        raise failure or NoAllowedAddress

    def _allowed(self, host: str, port: int) -> Iterator[tuple[int, Any]]:
        found = self._resolve(host, port, type=socket.SOCK_STREAM)
        return ((family, address) for family, *_, address in found if is_allowed(address[0], self._networks))

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
    """Turns a connection error into httpcore's own, after which httpcore still reads the answer.

    A receiver that closes before the end of the message may have answered it.
    """
    try:
        yield
    except ConnectionError as error:
        raise httpcore.WriteError(str(error)) from error
