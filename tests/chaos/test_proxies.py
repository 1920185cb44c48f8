"""The proxies: they forward traffic, block it and break connections."""

import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from threading import Thread

import pytest

from tests.chaos.proxies import Proxies, Proxy


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy of a server that echoes what it receives."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=_echo, args=(server,))
        thread.start()
        with closing(Proxies(server.getsockname()[1])) as proxies:
            yield proxies.new()
        thread.join()


def _echo(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        while received := connection.recv(100):
            connection.sendall(received)


@pytest.fixture
def connection(proxy: Proxy) -> Iterator[socket.socket]:
    """A connection through the proxy that has been used."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        connection.sendall(b"hello")
        assert connection.recv(100) == b"hello"
        yield connection


def test_blocked_traffic_arrives_after_unblock(proxy: Proxy, connection: socket.socket):
    proxy.block()
    connection.sendall(b"more")
    connection.settimeout(0.1)
    with pytest.raises(TimeoutError):
        connection.recv(100)
    proxy.unblock()
    connection.settimeout(10)
    assert connection.recv(100) == b"more"


def test_break_connections_breaks_a_connection(proxy: Proxy, connection: socket.socket):
    proxy.break_connections()
    with suppress(ConnectionResetError):
        assert connection.recv(100) == b""
