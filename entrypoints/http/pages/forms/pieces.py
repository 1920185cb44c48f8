"""Pieces of JSON texts: objects and arrays split into the texts of their members, and joined again."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
BLANK = " \t\n\r"
_SPACE = re.compile(r"[ \t\n\r]*")
_OTHER_THAN_NUMBERS = re.compile(r"[^-+0-9.eE,\s]")
_ARRAY = re.compile(r"\[[^\[\]]*\]")
_ARRAYS = re.compile(rf"\[[ \t\n\r]*({_ARRAY.pattern}[ \t\n\r]*(,[ \t\n\r]*{_ARRAY.pattern}[ \t\n\r]*)*)?\]")


class Digits(NamedTuple):
    """A number as its text, so that none is too long or too large."""

    text: str


_DECODER = json.JSONDecoder(parse_int=Digits, parse_float=Digits, parse_constant=Digits)


_ENDS = json.JSONDecoder(parse_int=float)
"""Finds the end of a value, however long its numbers are, without a call for each of them."""


def is_object(text: str | None) -> bool:
    """Whether a JSON text is that of an object."""
    return text is not None and text.lstrip(BLANK).startswith("{")


def members(text: str | None) -> dict[str, str] | None:
    """The texts of the members of an object by name, in their order. None of any other text."""
    if text is None or not is_object(text):
        return None
    try:
        return dict(_members(text))
    except (ValueError, IndexError, RecursionError):
        return None


def _members(text: str) -> Iterator[tuple[str, str]]:
    position = _after("{", text, _skip(text, 0))
    goes_on = text[position] != "}"
    while goes_on:
        name, end = _DECODER.raw_decode(text, position)
        if not isinstance(name, str):
            raise ValueError
        start = _after(":", text, _skip(text, end))
        _, end = _ENDS.raw_decode(text, start)
        yield name, text[start:end]
        position = _skip(text, end)
        if goes_on := text[position] == ",":
            position = _skip(text, position + 1)
    if text[_after("}", text, position) :]:
        raise ValueError


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _after(sign: str, text: str, position: int) -> int:
    """The position behind this sign and the space that follows it. Raises ValueError: another sign stands there."""
    if text[position] != sign:
        raise ValueError
    return _skip(text, position + 1)


def numbers(text: str) -> list[str] | None:
    """The texts of the items of an array of numbers. None of any other text."""
    inner = text.strip(BLANK)
    if not (inner.startswith("[") and inner.endswith("]")) or _OTHER_THAN_NUMBERS.search(inner[1:-1]):
        return None
    items = [item.strip(BLANK) for item in inner[1:-1].split(",")] if inner[1:-1].strip(BLANK) else []
    return items if all(map(NUMBER.fullmatch, items)) else None


def rows(text: str) -> list[list[str]] | None:
    """The texts of the numbers of an array of arrays of numbers. None of any other text."""
    if not _ARRAYS.fullmatch(text.strip(BLANK)):
        return None
    found = [numbers(row) for row in _ARRAY.findall(text)]
    return None if None in found else [row for row in found if row is not None]


def value(text: str) -> Any:
    """The value of a JSON text, with Digits in place of numbers. None of a broken text."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None


def quoted(text: str) -> str:
    """The JSON text of a string."""
    return json.dumps(text, ensure_ascii=False)


def joined(found: Mapping[str, str]) -> str:
    """The text of an object with these members."""
    return "{" + ", ".join(f"{quoted(name)}: {text}" for name, text in found.items()) + "}"


def laid_out(text: str) -> str:
    """The text of an object with each of its members on a line of its own; any other text as it is."""
    found = members(text)
    if not found:
        return text
    return "{\n" + ",\n".join(f"  {quoted(name)}: {member}" for name, member in found.items()) + "\n}"


def listed(items: Sequence[str]) -> str:
    """The text of an array of these items."""
    return f"[{', '.join(items)}]"
