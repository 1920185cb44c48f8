"""The lines: what they let through, keep back and break."""

import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from threading import Thread

import pytest

from tests.chaos.lines import Line, Lines


@pytest.fixture
def line() -> Iterator[Line]:
    """To somebody who answers with what he hears."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=_echo, args=(server,))
        thread.start()
        with closing(Lines(server.getsockname()[1])) as lines:
            yield lines.new()
        thread.join()


def _echo(server: socket.socket) -> None:
    near, _ = server.accept()
    with near:
        while said := near.recv(100):
            near.sendall(said)


@pytest.fixture
def connection(line: Line) -> Iterator[socket.socket]:
    """One over that line, over which something has been said."""
    with socket.create_connection(("127.0.0.1", line.port), timeout=10) as connection:
        connection.sendall(b"hello")
        assert connection.recv(100) == b"hello"
        yield connection


def test_what_is_swallowed_arrives_when_the_line_is_restored(line: Line, connection: socket.socket):
    line.swallow()
    connection.sendall(b"more")
    connection.settimeout(0.1)
    with pytest.raises(TimeoutError):
        connection.recv(100)
    line.restore()
    connection.settimeout(10)
    assert connection.recv(100) == b"more"


def test_a_cut_breaks_what_is_connected(line: Line, connection: socket.socket):
    line.cut()
    with suppress(ConnectionResetError):
        assert connection.recv(100) == b""
