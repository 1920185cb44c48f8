"""The proxies: they forward traffic, block it and break connections."""

import socket
import time
from collections.abc import Callable, Iterator
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


@pytest.mark.parametrize("block", [Proxy.block, Proxy.block_answers])
def test_blocked_traffic_arrives_after_unblock(proxy: Proxy, connection: socket.socket, block: Callable[[Proxy], None]):
    block(proxy)
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


def test_a_slow_line_takes_its_latency_for_a_round_trip(proxy: Proxy, connection: socket.socket):
    proxy.slow_down(1_000_000, 0.3)
    sent = time.monotonic()
    connection.sendall(b"more")
    assert connection.recv(100) == b"more"
    assert time.monotonic() - sent >= 0.3
