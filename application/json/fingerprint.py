"""The fingerprint of a request: it tells whether a later one with the same idempotency key asks for the same."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from application.json.text import canonical
from domain.dependencies import Dependencies
from domain.ids import TypeName


def fingerprint(type: TypeName, args: Mapping[str, Any], dependencies: Dependencies | None = None) -> str:
    """128 bits in hexadecimal, the same for requests of one type with equal arguments and the same parents."""
    waits = f" after {sorted(dependencies.parents)} {dependencies.if_failed}" if dependencies else ""
    refers = " with references" if dependencies and dependencies.has_references else ""
    return digest(f"{type} {canonical(args)}{waits}{refers}")


def batch_fingerprint(fingerprints: Iterable[str]) -> str:
    """128 bits in hexadecimal, the same for batches of equal requests in the same order."""
    return digest(" ".join(fingerprints))


def digest(text: str) -> str:
    """128 bits in hexadecimal."""
    return blake2b(text.encode(), digest_size=16).hexdigest()
