"""A client of the API that writes its own bytes."""

import socket

import httpx

from tests.e2e.service import Service

HEAD = b"Host: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
POST = b"POST /task/new HTTP/1.1\r\n" + HEAD


def connection(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=10)


def answer_to(service: Service, sent: bytes) -> bytes:
    """Send bytes. All that is received until the server closes the connection."""
    with connection(service) as client:
        client.sendall(sent)
        return rest_of(client)


def rest_of(client: socket.socket) -> bytes:
    """All that is received until the server closes the connection."""
    received = b""
    while more := client.recv(65_536):
        received += more
    return received


def code_of(service: Service, path: str) -> int | None:
    """The status code of the answer; None while the API does not answer."""
    try:
        return service.client.get(path).status_code
    except httpx.TransportError:
        return None
