"""The fingerprint of a request: it tells whether a later one with the same idempotency key asks for the same."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from application.json.text import canonical
from domain.ids import TypeName


def fingerprint(type: TypeName, args: Mapping[str, Any]) -> str:
    """128 bits in hexadecimal, the same for requests of one type with equal arguments."""
    return blake2b(f"{type} {canonical(args)}".encode(), digest_size=16).hexdigest()
