"""The post: carries a message to an address, and comes back with the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What the address said: the status of its HTTP answer."""

    status: int


class Undelivered(Exception):
    """There was no answer: `why` says so in a few words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class WebhookSender(Protocol):
    """Goes nowhere but to the address itself: it follows no redirects, and calls only whom it is allowed to call."""

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST it, within seconds. Undelivered where there is no answer."""
        ...
