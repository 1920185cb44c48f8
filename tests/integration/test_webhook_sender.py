"""The webhook sender, with real servers: the addresses that it calls and those that it refuses, and its timeouts."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_network
from threading import Event, Thread
from typing import Any

import httpcore
import pytest
import trustme

from adapters.webhooks import new_webhook_sender
from adapters.webhooks.allowed_networks import may_be_called
from adapters.webhooks.http_sender import HttpWebhookSender
from adapters.webhooks.network import Deadline, Stream
from application.ports.webhooks import Answer, Undelivered
from tests.receiver import Receiver, receiving

LOCALHOST = [ip_network("127.0.0.1")]
SHORT_TIMEOUT, MAX_WAIT_SECONDS = 0.5, 20.0
LARGE_BODY = b"x" * 20_000_000
NOT_ALLOWED = "its host has no public address, nor one of WEBHOOK_NETWORKS"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def undelivered(url: str, body: bytes = b"{}", networks: Sequence[Any] = LOCALHOST, **options: Any) -> str:
    """Send a message that cannot be delivered. The reason."""
    with pytest.raises(Undelivered) as refusal:
        HttpWebhookSender(networks, **options).send(url, {}, body)
    return refusal.value.why


class TestSending:
    def test_a_message_arrives_as_it_was_sent(self, receiver: Receiver):
        body = '{"é":1}'.encode()
        answer = new_webhook_sender(LOCALHOST).send(f"{receiver.url}/told?by=us", {"webhook-id": "1"}, body)
        told = receiver.received.get()
        assert answer == Answer(200)
        assert (told.path, told.body, told.headers["webhook-id"]) == ("/told?by=us", body, "1")
        assert told.headers["host"] == receiver.url.removeprefix("http://")
        assert told.headers["content-length"] == str(len(body))

    @pytest.mark.parametrize("status", [204, 301, 307, 404, 410, 500])
    def test_a_redirect_is_an_answer_and_is_not_followed(self, receiver: Receiver, status: int):
        receiver.answers, receiver.location = [status], f"{receiver.url}/elsewhere"
        assert HttpWebhookSender(LOCALHOST).send(receiver.url, {}, b"{}") == Answer(status)
        assert receiver.received.get().path == "/"
        assert receiver.received.empty()

    def test_proxies_of_the_environment_are_ignored(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        assert HttpWebhookSender(LOCALHOST).send(receiver.url, {}, b"{}") == Answer(200)

    def test_an_ipv6_address_has_brackets_in_the_host_header(self):
        with answering(b"HTTP/1.1 200 OK\r\n\r\n", socket.AF_INET6) as (port, received):
            assert HttpWebhookSender([ip_network("::1")]).send(f"http://[::1]:{port}/", {}, b"{}") == Answer(200)
        assert f"host: [::1]:{port}\r\n".encode() in received[0]


class TestFailures:
    def test_a_refused_connection_is_reported(self):
        assert undelivered("http://127.0.0.1:1") == "Connection refused"

    @pytest.mark.parametrize("host", ["nobody.invalid", "a" * 80, "a." * 200 + "a"])
    def test_an_unknown_host_is_reported(self, host: str):
        assert undelivered(f"http://{host}/") == "its host is not known"

    @pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000])
    def test_an_invalid_http_answer_is_reported(self, answer: bytes):
        with answering(answer) as (port, _):
            assert undelivered(f"http://127.0.0.1:{port}")

    def test_a_receiver_that_never_answers_is_given_up(self):
        with hanging(lambda peer: None) as port:
            assert undelivered(f"http://127.0.0.1:{port}", whole=SHORT_TIMEOUT) == "it did not answer in time"

    def test_a_receiver_that_answers_byte_by_byte_is_given_up(self):
        def drip(peer: socket.socket) -> None:
            for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000:
                peer.sendall(bytes([byte]))
                time.sleep(0.02)

        before = time.monotonic()
        with hanging(drip) as port:
            assert undelivered(f"http://127.0.0.1:{port}", whole=SHORT_TIMEOUT) == "it did not answer in time"
        assert time.monotonic() - before < 5

    def test_a_receiver_that_does_not_read_is_given_up(self):
        with hanging(lambda peer: None) as port:
            assert (
                undelivered(f"http://127.0.0.1:{port}", LARGE_BODY, whole=SHORT_TIMEOUT) == "it did not answer in time"
            )

    def test_an_answer_before_the_end_of_the_message_is_read(self):
        ours, theirs = socket.socketpair()
        theirs.sendall(b"HTTP/1.1 410 Gone")
        theirs.close()
        stream = Stream(ours, Deadline(MAX_WAIT_SECONDS))
        with pytest.raises(httpcore.WriteError):
            stream.write(LARGE_BODY)
        assert stream.read(100) == b"HTTP/1.1 410 Gone"
        stream.close()

    @pytest.mark.parametrize("length", [b"content-length: 1000000000", b"transfer-encoding: chunked"])
    def test_the_body_of_an_answer_is_not_awaited(self, length: bytes):
        with hanging(lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n")) as port:
            assert HttpWebhookSender(LOCALHOST).send(f"http://127.0.0.1:{port}", {}, b"{}") == Answer(200)


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
            "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
            "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
            "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "fe80::1", "fe80::1%1", "fc00::1", "fd00:ec2::254",
            "ff02::1", "ff0e::1", "2001:db8::1", "2001::1", "fec0::1", "100::1", "4000::1",
        ],
    )  # fmt: skip
    def test_an_address_that_is_not_public_is_not_allowed(self, address: str):
        assert not may_be_called(address, [])

    @pytest.mark.parametrize(
        "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
    )
    def test_a_public_address_is_allowed(self, address: str):
        assert may_be_called(address, [])

    def test_a_configured_network_is_allowed_and_no_other(self):
        networks = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
        assert may_be_called("10.255.0.1", networks)
        assert may_be_called("::ffff:10.255.0.1", networks)
        assert may_be_called("fd00::1", networks)
        assert not may_be_called("172.16.0.1", networks)
        assert not may_be_called("127.0.0.1", networks)

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "0.0.0.0"])
    def test_no_spelling_of_a_local_address_is_called(self, receiver: Receiver, host: str):
        why = undelivered(f"http://{host}:{receiver.server_port}/", networks=[])
        # Not every system understands every spelling.
        assert why in (NOT_ALLOWED, "its host is not known")
        assert receiver.received.empty()

    def test_a_name_of_a_private_address_is_not_called(self, receiver: Receiver):
        why = undelivered(f"http://example.org:{receiver.server_port}", networks=[], resolve=resolves_to("127.0.0.1"))
        assert why == NOT_ALLOWED
        assert receiver.received.empty()

    def test_only_the_allowed_addresses_of_a_name_are_called(self, receiver: Receiver):
        resolve = resolves_to("10.0.0.1", "127.0.0.2", "127.0.0.1")
        assert HttpWebhookSender(LOCALHOST, resolve=resolve).send(
            f"http://name:{receiver.server_port}", {}, b"{}"
        ) == Answer(200)
        assert receiver.received.get().peer == "127.0.0.1"

    def test_an_address_that_does_not_answer_is_skipped(self, receiver: Receiver):
        resolve = resolves_to("127.0.0.3", "127.0.0.1")
        networks = [ip_network("127.0.0.0/8")]
        assert HttpWebhookSender(networks, resolve=resolve).send(
            f"http://name:{receiver.server_port}", {}, b"{}"
        ) == Answer(200)

    def test_a_name_is_resolved_once_and_the_checked_address_called(self, receiver: Receiver):
        answers = [resolves_to("127.0.0.1"), resolves_to("127.0.0.2"), resolves_to("127.0.0.2")]
        sent = HttpWebhookSender(LOCALHOST, resolve=lambda *args, **options: answers.pop(0)(*args, **options)).send(
            f"http://name:{receiver.server_port}", {}, b"{}"
        )
        assert sent == Answer(200)
        assert len(answers) == 2
        told = receiver.received.get()
        assert (told.peer, told.headers["host"]) == ("127.0.0.1", f"name:{receiver.server_port}")


class TestTls:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @contextmanager
    def secured(self, authority: trustme.CA, name: str) -> Iterator[Receiver]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        with receiving(secured=context) as receiver:
            yield receiver

    def test_a_certificate_of_an_unknown_authority_is_refused(self, authority: trustme.CA):
        with self.secured(authority, "127.0.0.1") as receiver:
            assert undelivered(receiver.url).startswith("its certificate is not good: ")
            assert receiver.received.empty()

    def test_a_certificate_must_be_for_the_requested_name(self, authority: trustme.CA):
        trusted = ssl.create_default_context()
        authority.configure_trust(trusted)
        sender = HttpWebhookSender(LOCALHOST, resolve=resolves_to("127.0.0.1"), trusted=trusted)
        with self.secured(authority, "example.org") as receiver:
            assert sender.send(f"https://example.org:{receiver.server_port}", {}, b"{}") == Answer(200)
            with pytest.raises(Undelivered, match="its certificate is not good: Hostname mismatch"):
                sender.send(f"https://other.org:{receiver.server_port}", {}, b"{}")

    def test_a_receiver_without_tls_receives_nothing(self, receiver: Receiver):
        assert undelivered(f"https://127.0.0.1:{receiver.server_port}")
        assert receiver.received.empty()

    def test_a_receiver_that_hangs_in_the_handshake_is_given_up(self):
        with hanging(lambda peer: None) as port:
            assert undelivered(f"https://127.0.0.1:{port}", whole=SHORT_TIMEOUT) == "it did not answer in time"


def resolves_to(*addresses: str) -> Callable[..., Any]:
    """A resolver by which every name has these addresses."""

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return resolve


@contextmanager
def answering(answer: bytes, family: int = socket.AF_INET) -> Iterator[tuple[int, list[bytes]]]:
    """A server that reads once, sends the answer and closes: its port, and what it has read."""
    received: list[bytes] = []

    def serve(peer: socket.socket) -> None:
        received.append(peer.recv(65_536))
        peer.sendall(answer)

    with serving(serve, family) as port:
        yield port, received


@contextmanager
def hanging(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that calls the function and then hangs: its port."""
    with serving(serve, hangs=True) as port:
        yield port


@contextmanager
def serving(serve: Callable[[socket.socket], None], family: int = socket.AF_INET, hangs: bool = False) -> Iterator[int]:
    """A server of one connection: its port."""
    over = Event()

    def run() -> None:
        peer, _ = listener.accept()
        with peer, suppress(OSError):
            serve(peer)
            over.wait(MAX_WAIT_SECONDS if hangs else 0)

    host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    with socket.create_server((host, 0), family=family) as listener:
        thread = Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join(MAX_WAIT_SECONDS)
