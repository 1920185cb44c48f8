"""Failure groups: failed tasks of one type whose errors are the same but for the numbers in them.

The database has the same rule as a function, `failure_group`. Both read the error as it is stored: as the JSON text of
its type, its message and its attempt, in which every character is ASCII.
"""

import json
import re

from application.ports.listing import Filter
from domain.failure import Error

MAX_READ_CHARACTERS = 1_000
"""Characters of the stored error that are read. Messages may be long."""
MAX_MASKED_CHARACTERS = 300
"""Characters of a masked error that two errors of a group have in common."""
MASK = "N"
GROUP = "[0-9a-f]{16}"
"""The pattern of the number of a group in a filter."""
_NUMBER = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|0[xX][0-9a-fA-F]+|[0-9]+"
# The digits of an escaped character stay, or words in other scripts would be alike.
_STORED_NUMBER = re.compile(rf"(\\u[0-9a-f]{{4}})|{_NUMBER}")
_SHOWN_NUMBER = re.compile(_NUMBER)
# A piece of text may begin or end within a number that is masked as a whole.
_EDGES = re.compile(r"\A[0-9a-fA-FxX-]+|[0-9a-fA-FxX-]+\Z")


def encoded_group(number: int) -> str:
    """The number of a failure group as a filter has it."""
    return f"{number % 2**64:016x}"


def decoded_group(text: str) -> int:
    """The number of the failure group of a filter, whose text matches GROUP."""
    return int.from_bytes(bytes.fromhex(text), signed=True)


def stored_text(error: Error) -> str:
    """The error as it is stored."""
    return json.dumps([error.type, error.message, error.attempt])


def masked_stored(error: str) -> str:
    """Mask the UUIDs, hexadecimal numbers and runs of digits of a stored error. Those of a group are equal."""
    return _STORED_NUMBER.sub(rf"\1{MASK}", error[:MAX_READ_CHARACTERS])[:MAX_MASKED_CHARACTERS]


def masked(shown: str) -> str:
    """Mask the same in a message as it is shown."""
    return _SHOWN_NUMBER.sub(MASK, shown)


def fits(error: Error | None, filter: Filter) -> bool:
    """Whether an error has the type and the text that the filter asks for."""
    if filter.error_type is None and filter.error is None:
        return True
    return (
        error is not None
        and (filter.error_type is None or error.type.casefold() == filter.error_type.casefold())
        and (filter.error is None or filter.error.casefold() in _shown(error).casefold())
    )


def may_fit(stored: str, error: Error, filter: Filter) -> bool:
    """Whether the filter may find a task of the group of this error."""
    if len(masked_stored(stored)) == MAX_MASKED_CHARACTERS:
        return True
    return (filter.error_type is None or _folded(error.type) == _folded(filter.error_type)) and (
        filter.error is None or _folded(_EDGES.sub("", filter.error)) in _folded(_shown(error))
    )


def _shown(error: Error) -> str:
    return f"{error.type}: {error.message}"


def _folded(text: str) -> str:
    return masked(text).casefold()
