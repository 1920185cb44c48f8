"""The key by which a request that comes again is known to be the same."""

import re

from domain.errors import InvalidKey
from domain.ids import Key

_KEY = re.compile(r"[ -~]{1,255}")


def key(text: str) -> Key:
    """The key that this text is; InvalidKey if it is none."""
    if not _KEY.fullmatch(text):
        raise InvalidKey
    return Key(text)
