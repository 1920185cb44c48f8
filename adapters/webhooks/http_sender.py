"""The post by HTTP/1.1: one connection a message, no redirects, no proxies, and no more read than the status."""

import socket
import ssl
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpcore

from adapters.webhooks.allowed_networks import Network
from adapters.webhooks.network import AllowedNetwork, Deadline, Resolve
from application.ports.webhooks import Answer, Undelivered

MAX_SECONDS = 10.0
"""Seconds for everything but looking up the name, for which the system has limits of its own."""

DELIVERY_ERRORS = (OSError, UnicodeError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol)
"""UnicodeError: of a host that no name could have."""


class HttpWebhookSender:
    """Implements application.ports.webhooks.WebhookSender. Safe to use from several threads."""

    def __init__(
        self,
        networks: Sequence[Network],
        whole: float = MAX_SECONDS,
        resolve: Resolve = socket.getaddrinfo,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._networks = networks
        self._whole = whole
        self._resolve = resolve
        self._trusted = trusted or httpcore.default_ssl_context()

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            return self._send(url, headers, body)
        except DELIVERY_ERRORS as error:
            raise Undelivered(_why(error)) from error

    def _send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        address = httpcore.URL(url)
        network = AllowedNetwork(self._networks, Deadline(self._whole), self._resolve)
        # The host that httpcore would name has no brackets around an address of version 6.
        sent = {"host": urlsplit(url).netloc, "connection": "close", **headers}
        with (
            httpcore.HTTPConnection(address.origin, self._trusted, network_backend=network) as connection,
            connection.stream("POST", address, headers=list(sent.items()), content=body) as answer,
        ):
            return Answer(answer.status)


def _why(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "it did not answer in time"
        case socket.gaierror() | UnicodeError():
            return "its host is not known"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not good: {error.verify_message}"
        case httpcore.ProtocolError():
            return "its answer is not HTTP"
        case OSError(strerror=str(why)):
            return why
    return type(error).__name__
