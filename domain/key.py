"""The key by which a request that comes again is known to be the same."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from domain import json_text
from domain.errors import InvalidIdempotencyKey
from domain.ids import IdempotencyKey, TypeName

PATTERN = "^[ -~]{1,255}$"
"""What a header can hold."""
_KEY = re.compile(PATTERN[1:-1])


def key(text: str) -> IdempotencyKey:
    """The key that this text is; InvalidKey if it is none."""
    if not _KEY.fullmatch(text):
        raise InvalidIdempotencyKey
    return IdempotencyKey(text)


def fingerprint(type: TypeName, args: Mapping[str, Any]) -> str:
    """The same for requests that ask for the same: of one type, with arguments that say the same; 128 bits as text."""
    return blake2b(f"{type} {json_text.canonical(args)}".encode(), digest_size=16).hexdigest()
