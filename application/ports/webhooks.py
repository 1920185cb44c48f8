"""The webhook sender: sends the message of an event to an address."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.traceparent import Traceparent


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has accepted the message."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver wants no message at this address any more; `why` is a short sentence."""

    why: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The message was not accepted, and may be sent again; `why` is a short sentence."""

    why: str


SendResult = Delivered | Gone | Failed


class WebhookSender(Protocol):
    """Sends to the given address alone: it follows no redirect and connects to no address that is not allowed."""

    def send(
        self, url: str, event_id: str, sent_at: datetime, body: bytes, traceparent: Traceparent | None = None
    ) -> SendResult:
        """Send a JSON message, signed, within seconds. `event_id` is the same at every attempt."""
        ...
