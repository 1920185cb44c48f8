"""The webhook sender by HTTP, to real servers: the addresses it connects to, and its limit of time."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from ipaddress import ip_network
from threading import Event, Thread
from typing import Any

import httpcore
import pytest
import trustme
from standardwebhooks import Webhook

from adapters.webhooks import new_webhook_sender
from adapters.webhooks.allowed_networks import is_allowed
from adapters.webhooks.http_sender import HttpWebhookSender, send_result
from adapters.webhooks.network import Deadline, Stream
from application.ports.webhooks import Delivered, Failed, Gone, SendResult
from tests.receiver import Receiver, receiving

HERE = [ip_network("127.0.0.1")]
HASTE, PATIENCE = 0.5, 20.0
BIG = b"x" * 20_000_000
SECRET = b"s" * 24
NOT_ALLOWED = "its host has no public address, nor one of WEBHOOK_NETWORKS"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def send(url: str, body: bytes = b"{}", networks: Sequence[Any] = HERE, **how: Any) -> SendResult:
    return HttpWebhookSender(networks, [SECRET], **how).send(url, "task-1-1", datetime.now(UTC), body)


def undelivered(url: str, body: bytes = b"{}", networks: Sequence[Any] = HERE, **how: Any) -> str:
    """The reason why a message failed."""
    result = send(url, body, networks, **how)
    assert isinstance(result, Failed)
    return result.why


class TestSending:
    def test_the_receiver_gets_the_message_as_it_was_sent(self, receiver: Receiver):
        body = '{"é":1}'.encode()
        sender = new_webhook_sender(HERE, [SECRET])
        assert sender.send(f"{receiver.url}/told?by=us", "task-1-1", datetime.now(UTC), body) == Delivered()
        told = receiver.received.get()
        assert (told.path, told.body, told.headers["webhook-id"]) == ("/told?by=us", body, "task-1-1")
        assert told.headers["content-type"] == "application/json"
        assert Webhook(SECRET).verify(told.body, told.headers) == {"é": 1}
        assert told.headers["host"] == receiver.url.removeprefix("http://")
        assert told.headers["content-length"] == str(len(body))

    @pytest.mark.parametrize("status", [204, 301, 307, 404, 410, 500])
    def test_status_decides_and_no_redirect_is_followed(self, receiver: Receiver, status: int):
        receiver.answers, receiver.location = [status], f"{receiver.url}/elsewhere"
        assert send(receiver.url) == send_result(status)
        assert receiver.received.get().path == "/"
        assert receiver.received.empty()

    @pytest.mark.parametrize("status", [200, 201, 299])
    def test_any_status_from_200_to_299_is_delivered(self, status: int):
        assert send_result(status) == Delivered()

    @pytest.mark.parametrize("status", [199, 300, 301, 400, 404, 409, 411, 500])
    def test_any_other_status_has_failed(self, status: int):
        assert send_result(status) == Failed(f"it answered {status}")

    def test_status_410_is_gone(self):
        assert send_result(410) == Gone("it answered 410: gone for good")

    def test_no_proxy_of_the_environment_is_asked(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        assert send(receiver.url) == Delivered()

    def test_an_address_of_version_6_has_its_brackets_in_the_header(self):
        with says(b"HTTP/1.1 200 OK\r\n\r\n", socket.AF_INET6) as (port, heard):
            assert send(f"http://[::1]:{port}/", networks=[ip_network("::1")]) == Delivered()
        assert f"host: [::1]:{port}\r\n".encode() in heard[0]


class TestTrouble:
    def test_where_nobody_listens_it_says_so(self):
        assert undelivered("http://127.0.0.1:1") == "Connection refused"

    @pytest.mark.parametrize("host", ["nobody.invalid", "a" * 80, "a." * 200 + "a"])
    def test_a_host_that_is_not_known(self, host: str):
        assert undelivered(f"http://{host}/") == "its host is not known"

    @pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000])
    def test_an_answer_that_is_not_http_fails(self, answer: bytes):
        with says(answer) as (port, _):
            assert undelivered(f"http://127.0.0.1:{port}")

    def test_a_receiver_that_never_answers_is_given_up(self):
        with hangs(lambda peer: None) as port:
            assert undelivered(f"http://127.0.0.1:{port}", max_seconds=HASTE) == "it did not answer in time"

    def test_nor_is_anybody_waited_for_who_says_a_little_now_and_then(self):
        def drip(peer: socket.socket) -> None:
            for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000:
                peer.sendall(bytes([byte]))
                time.sleep(0.02)

        before = time.monotonic()
        with hangs(drip) as port:
            assert undelivered(f"http://127.0.0.1:{port}", max_seconds=HASTE) == "it did not answer in time"
        assert time.monotonic() - before < 5

    def test_a_receiver_that_does_not_read_holds_nothing_up(self):
        with hangs(lambda peer: None) as port:
            assert undelivered(f"http://127.0.0.1:{port}", BIG, max_seconds=HASTE) == "it did not answer in time"

    def test_a_receiver_that_hangs_up_before_the_end_of_the_message_may_have_answered(self):
        ours, theirs = socket.socketpair()
        theirs.sendall(b"HTTP/1.1 410 Gone")
        theirs.close()
        stream = Stream(ours, Deadline(PATIENCE))
        with pytest.raises(httpcore.WriteError):
            stream.write(BIG)
        assert stream.read(100) == b"HTTP/1.1 410 Gone"
        stream.close()

    @pytest.mark.parametrize("length", [b"content-length: 1000000000", b"transfer-encoding: chunked"])
    def test_the_rest_of_an_answer_is_not_waited_for(self, length: bytes):
        with hangs(lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n")) as port:
            assert send(f"http://127.0.0.1:{port}") == Delivered()


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
    def test_a_private_address_is_not_called_however_it_is_written(self, address: str):
        assert not is_allowed(address, [])

    @pytest.mark.parametrize(
        "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
    )
    def test_a_public_address_is_called(self, address: str):
        assert is_allowed(address, [])

    def test_a_named_network_is_called_and_nothing_beside_it(self):
        networks = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
        assert is_allowed("10.255.0.1", networks)
        assert is_allowed("::ffff:10.255.0.1", networks)
        assert is_allowed("fd00::1", networks)
        assert not is_allowed("172.16.0.1", networks)
        assert not is_allowed("127.0.0.1", networks)

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "0.0.0.0"])
    def test_no_way_of_writing_our_own_address_leads_here(self, receiver: Receiver, host: str):
        why = undelivered(f"http://{host}:{receiver.server_port}/", networks=[])
        # Not every system knows every way of writing it.
        assert why in (NOT_ALLOWED, "its host is not known")
        assert receiver.received.empty()

    def test_a_name_that_leads_to_a_private_address_is_not_called(self, receiver: Receiver):
        why = undelivered(f"http://example.org:{receiver.server_port}", networks=[], resolve=leads_to("127.0.0.1"))
        assert why == NOT_ALLOWED
        assert receiver.received.empty()

    def test_of_several_addresses_only_those_are_called_that_may_be(self, receiver: Receiver):
        resolve = leads_to("10.0.0.1", "127.0.0.2", "127.0.0.1")
        assert send(f"http://name:{receiver.server_port}", resolve=resolve) == Delivered()
        assert receiver.received.get().peer == "127.0.0.1"

    def test_an_address_that_does_not_answer_is_passed_over(self, receiver: Receiver):
        resolve = leads_to("127.0.0.3", "127.0.0.1")
        networks = [ip_network("127.0.0.0/8")]
        assert send(f"http://name:{receiver.server_port}", networks=networks, resolve=resolve) == Delivered()

    def test_a_name_that_changes_its_mind_leads_to_the_address_that_was_checked(self, receiver: Receiver):
        answers = [leads_to("127.0.0.1"), leads_to("127.0.0.2"), leads_to("127.0.0.2")]

        def resolve(*args: Any, **how: Any) -> list[Any]:
            return answers.pop(0)(*args, **how)

        assert send(f"http://name:{receiver.server_port}", resolve=resolve) == Delivered()
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

    def test_a_certificate_of_somebody_unknown_is_refused(self, authority: trustme.CA):
        with self.secured(authority, "127.0.0.1") as receiver:
            assert undelivered(receiver.url).startswith("its certificate is not good: ")
            assert receiver.received.empty()

    def test_a_certificate_is_for_the_name_that_was_asked_for(self, authority: trustme.CA):
        trusted = ssl.create_default_context()
        authority.configure_trust(trusted)
        how: dict[str, Any] = {"resolve": leads_to("127.0.0.1"), "trusted": trusted}
        with self.secured(authority, "example.org") as receiver:
            assert send(f"https://example.org:{receiver.server_port}", **how) == Delivered()
            why = undelivered(f"https://other.org:{receiver.server_port}", **how)
            assert why.startswith("its certificate is not good: Hostname mismatch")

    def test_a_receiver_without_tls_is_sent_nothing(self, receiver: Receiver):
        assert undelivered(f"https://127.0.0.1:{receiver.server_port}")
        assert receiver.received.empty()

    def test_a_receiver_that_hangs_in_the_handshake_is_given_up(self):
        with hangs(lambda peer: None) as port:
            assert undelivered(f"https://127.0.0.1:{port}", max_seconds=HASTE) == "it did not answer in time"


def leads_to(*addresses: str) -> Callable[..., Any]:
    """A resolver for which every name has these addresses."""

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return resolve


@contextmanager
def says(answer: bytes, family: int = socket.AF_INET) -> Iterator[tuple[int, list[bytes]]]:
    """A port where somebody reads once, says this and hangs up; and what was read."""
    heard: list[bytes] = []

    def serve(peer: socket.socket) -> None:
        heard.append(peer.recv(65_536))
        peer.sendall(answer)

    with serving(serve, family) as port:
        yield port, heard


@contextmanager
def hangs(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve connections by the given function on a port; the server neither reads on nor hangs up."""
    with serving(serve, keeps=True) as port:
        yield port


@contextmanager
def serving(serve: Callable[[socket.socket], None], family: int = socket.AF_INET, keeps: bool = False) -> Iterator[int]:
    """A port where one connection is served."""
    over = Event()

    def run() -> None:
        peer, _ = listener.accept()
        with peer, suppress(OSError):
            serve(peer)
            over.wait(PATIENCE if keeps else 0)

    host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    with socket.create_server((host, 0), family=family) as listener:
        thread = Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join(PATIENCE)
