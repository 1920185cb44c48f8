"""Webhooks by HTTP/1.1: one connection for each message, no redirects, no proxies; only the status is read."""

import socket
import ssl
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import httpcore

from adapters.webhooks.allowed_networks import Network
from adapters.webhooks.network import AllowedNetwork, Deadline, NoAllowedAddress, Resolve
from adapters.webhooks.signing import Signer
from application.ports.webhooks import Delivered, Failed, Gone, SendResult
from domain.traceparent import Traceparent

MAX_SECONDS = 10.0
"""Seconds for a message, without the resolution of its host, for which the system has limits of its own."""

DELIVERY_ERRORS = (
    NoAllowedAddress,
    OSError,
    UnicodeError,  # raised for a host that cannot be a name
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)


class HttpWebhookSender:
    """Implements application.ports.webhooks.WebhookSender. Safe to use from several threads."""

    def __init__(
        self,
        networks: Sequence[Network],
        secrets: Sequence[bytes],
        max_seconds: float = MAX_SECONDS,
        resolve: Resolve = socket.getaddrinfo,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._networks = networks
        self._signer = Signer(secrets)
        self._max_seconds = max_seconds
        self._resolve = resolve
        self._trusted = trusted or httpcore.default_ssl_context()

    def send(
        self, url: str, event_id: str, sent_at: datetime, body: bytes, traceparent: Traceparent | None = None
    ) -> SendResult:
        headers = {
            # The host that httpcore would name has no brackets around an address of version 6.
            "host": urlsplit(url).netloc,
            "connection": "close",
            "content-type": "application/json",
            **({"traceparent": traceparent} if traceparent else {}),
            **self._signer.headers(event_id, sent_at, body),
        }
        try:
            return send_result(self._posted(url, headers, body))
        except DELIVERY_ERRORS as error:
            return Failed(_reason(error))

    def _posted(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """The status of the answer."""
        address = httpcore.URL(url)
        network = AllowedNetwork(self._networks, Deadline(self._max_seconds), self._resolve)
        with (
            httpcore.HTTPConnection(address.origin, self._trusted, network_backend=network) as connection,
            connection.stream("POST", address, headers=list(headers.items()), content=body) as answer,
        ):
            return answer.status


def send_result(status: int) -> SendResult:
    """The meaning of an HTTP status for a delivery."""
    if 200 <= status < 300:
        return Delivered()
    if status == HTTPStatus.GONE:
        return Gone(f"it answered {status}: gone for good")
    return Failed(f"it answered {status}")


def _reason(error: Exception) -> str:
    match error:
        case NoAllowedAddress():
            return str(error)
        case TimeoutError():
            return "it did not answer in time"
        case socket.gaierror() | UnicodeError():
            return "its host is not known"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not good: {error.verify_message}"
        case httpcore.ProtocolError():
            return "its answer is not HTTP"
        case OSError(strerror=str(reason)):
            return reason
    return type(error).__name__
