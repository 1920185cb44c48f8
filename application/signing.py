"""Signatures by the Standard Webhooks specification: whoever shares a secret can tell that a message is ours."""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime


class Signer:
    """Signs with every secret that it has: receivers may know one of them, while others change theirs."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = secrets

    def headers(self, id: str, now: datetime, body: bytes) -> dict[str, str]:
        """What travels with the body: the name of the news, when it was sent, and a signature of all three."""
        timestamp = str(int(now.timestamp()))
        signed = b".".join((id.encode(), timestamp.encode(), body))
        return {
            "webhook-id": id,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in self._secrets),
        }


def _signature(secret: bytes, signed: bytes) -> str:
    return b64encode(hmac.digest(secret, signed, "sha256")).decode()
