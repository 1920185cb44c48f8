"""Signatures by the Standard Webhooks specification: a receiver that knows a secret can verify the sender."""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime


class Signer:
    """Signs with every secret that it has, since receivers may know only one of them while secrets are replaced."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = secrets

    def headers(self, event_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
        """The headers of the message: the id of the event, the Unix seconds of sending, and signatures of all three."""
        timestamp = str(int(sent_at.timestamp()))
        signed = b".".join((event_id.encode(), timestamp.encode(), body))
        return {
            "webhook-id": event_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in self._secrets),
        }


def _signature(secret: bytes, signed: bytes) -> str:
    return b64encode(hmac.digest(secret, signed, "sha256")).decode()
