"""Hostile bytes, sent to a real server: each is answered with its status, and the server goes on."""

import time
from contextlib import ExitStack

import pytest

from tests.e2e.http.wire import HEAD, POST, answer_to, code_of, connection
from tests.e2e.service import Service


def get(path: bytes, *more: bytes) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + HEAD + b"".join(line + b"\r\n" for line in more) + b"\r\n"


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CASES = {
    "chunks": (CHUNKED + b'5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n', 201),
    "broken chunks": (CHUNKED + b"ZZ\r\n{}\r\n", 400),
    "too many chunks": (CHUNKED + b"200000\r\n" + b" " * 0x200000 + b"\r\n0\r\n\r\n", 413),
    "no body": (POST + b"\r\n", 201),
    "a length that is too short": (POST + b'Content-Length: 3\r\n\r\n{"a":1}', 400),
    "a negative length": (POST + b"Content-Length: -3\r\n\r\n{}", 400),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    "a length beyond all numbers": (POST + b"Content-Length: 9999999999999999999999\r\n\r\n{}", 400),
    "a length beyond the limit": (POST + b"Content-Length: 2000000\r\n\r\n" + b" " * 2000000, 413),
    "a compressed body that is none": (POST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 400),
    "a body of another encoding": (POST + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", 415),
    "an expectation": (POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", 100),
    "escapes that are no text": (get(b"/task/%00%ff%zz/view"), 404),
    "a query that is no text": (get(b"/task/1/view?%ff=%00"), 422),
    "a path that is no text": (get(b"/task/\xff/view"), 400),
    "a long path": (get(b"/task/" + b"9" * 60_000 + b"/view"), 404),
    "a path beyond the limit": (get(b"/task/" + b"9" * 90_000 + b"/view"), 414),
    "a path that climbs": (get(b"/docs/../../../../etc/passwd"), 404),
    "another host in the path": (get(b"http://elsewhere/task/7"), 404),
    "a star": (b"OPTIONS * HTTP/1.1\r\n" + HEAD + b"\r\n", 404),
    "a tunnel": (b"CONNECT elsewhere:1 HTTP/1.1\r\n" + HEAD + b"\r\n", 404),
    "a method of its own": (b"FOO /task/1 HTTP/1.1\r\n" + HEAD + b"\r\n", 405),
    "an old version": (b"GET /ping HTTP/1.0\r\n\r\n", 200),
    "an origin that is none": (get(b"/ping", b"Origin: http://[\xff"), 200),
    "a host that is none": (b"GET /ping HTTP/1.1\r\nHost: \xff[;\r\nConnection: close\r\n\r\n", 200),
    "a long header": (get(b"/ping", b"X: " + b"x" * 500_000), 431),
    "many headers": (get(b"/ping", *[b"X: x"] * 97), 200),
    "too many headers": (get(b"/ping", *[b"X: x"] * 98), 431),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50), 400),
    "noise": (b"\0\xff\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", CASES)
def test_hostile_bytes_are_answered_with_their_status(service: Service, name: str) -> None:
    sent, code = CASES[name]
    version, _, rest = answer_to(service, sent).partition(b" ")
    assert version in (b"HTTP/1.1", b"HTTP/1.0")
    assert int(rest[:3]) == code
    assert code_of(service, "/ping") == 200


def test_an_incomplete_body_stores_nothing(service: Service) -> None:
    before = service.submit()["id"]
    with connection(service) as client:
        client.sendall(POST + b'Content-Length: 300\r\n\r\n{"a":1}')
        time.sleep(0.1)
    assert service.submit()["id"] == before + 1


def test_slow_clients_delay_no_answer_to_others(service: Service) -> None:
    with ExitStack() as slow:
        for _ in range(40):
            slow.enter_context(connection(service)).sendall(POST + b"Content-Length: 300\r\n\r\n{")
        assert service.client.post("/task/new", json={}).status_code == 201
        assert code_of(service, "/ping") == 200
        assert code_of(service, "/tasks") == 200
