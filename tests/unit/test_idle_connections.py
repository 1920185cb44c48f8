"""Idle connections: which are ended, and which are left."""

import os
import socket
from contextlib import closing

import pytest

from entrypoints.http.wsgi import idle_connections

pytestmark = pytest.mark.skipif(
    not hasattr(socket, "TCP_INFO"), reason="this system does not tell how long a connection is idle"
)


def test_own_sockets_are_found_and_nothing_stays_open() -> None:
    before = os.listdir("/dev/fd")
    reader, writer = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as server:
        names = [idle_connections.port_of(each) for each in idle_connections.own_sockets()]
        assert server.getsockname()[1] in names
    os.close(reader)
    os.close(writer)
    assert len(os.listdir("/dev/fd")) == len(before)


def test_only_an_idle_connection_to_the_port_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        clients = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(2)]
        ends = [server.accept()[0] for _ in clients]
        idle = {end.getpeername()[1]: 500.0 - 200 * nth for nth, end in enumerate(ends)}
        monkeypatch.setattr(idle_connections, "idle_seconds", lambda each: idle.get(each.getpeername()[1], 0.0))
        idle_connections.end_idle(port + 1)
        ends[0].setblocking(False)
        with pytest.raises(BlockingIOError):
            ends[0].recv(1)
        idle_connections.end_idle(port)
        assert ends[0].recv(1) == b""
        ends[0].sendall(b"408")
        assert clients[0].recv(3) == b"408"
        clients[1].sendall(b"body")
        assert ends[1].recv(4) == b"body"
        for each in (*clients, *ends):
            each.close()


def test_the_idle_time_begins_with_the_last_byte() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert idle_connections.idle_seconds(server) == 0
        with closing(socket.create_connection(server.getsockname())) as client, closing(server.accept()[0]) as end:
            client.sendall(b"x")
            end.recv(1)
            assert 0 <= idle_connections.idle_seconds(end) < 1
