"""The limits of JSON that is stored, and the check of its depth."""

import re
from itertools import accumulate

MAX_DEPTH = 200
MAX_INTEGER_DIGITS = 4_300
TOO_DEEP = f"arrays and objects may be nested {MAX_DEPTH} deep"

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_STEPS = [1 if sign in b"[{" else -1 for sign in range(256)]


def is_too_deep(text: str) -> bool:
    """Whether the arrays and objects of a JSON text are nested deeper than MAX_DEPTH."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub("", text).encode(errors="surrogatepass").translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH
