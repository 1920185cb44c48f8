"""The place of a request in a trace, as the header `traceparent` of the W3C's Trace Context names it."""

import re
from typing import NewType

Traceparent = NewType("Traceparent", str)
"""The header of version 00: `00-`, 32 digits for the trace, 16 for the span in it, 2 for flags, joined by hyphens."""

_FORM = re.compile(r"([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_VERSION, _INVALID_VERSION = "00", "ff"
MAX_CHARACTERS = 200
"""A longer header is of no version that is known today."""


def parse_traceparent(header: str | None) -> Traceparent | None:
    """The place that a header names, in the form of version 00; None for one that is not valid, or for none.

    A later version may have more parts behind, which are left out, as its rules for older readers want it.
    """
    found = _FORM.fullmatch(header) if header and len(header) <= MAX_CHARACTERS else None
    if found is None or found[1] == _INVALID_VERSION or (found[1] == _VERSION and found[5]):
        return None
    return Traceparent("-".join((_VERSION, *found.group(2, 3, 4))))


def trace_id(traceparent: Traceparent | None) -> str | None:
    """The id of the trace, which all its places have in common."""
    return traceparent and traceparent[3:35]
