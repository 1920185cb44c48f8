"""Places in a JSON text: members, items and numbers with the characters that they have in the text."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from json import JSONDecoder
from typing import Any, NamedTuple

_SCAN = JSONDecoder().scan_once  # type: ignore[attr-defined]
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?[0-9][0-9.eE+-]*|null")
NULL = "null"
Fits = Callable[[int], bool]
"""Whether a value that begins at this place of the text is worth parsing."""


class Unfit(Exception):
    """A value is not of the form that was looked for."""


class Part(NamedTuple):
    """A member of an object or an item of an array, and where its value stands. An item has no name."""

    name: str
    value: Any
    start: int
    end: int

    def source(self, text: str) -> str:
        """The value as it stands in the text."""
        return text[self.start : self.end]


def after_space(text: str, at: int) -> int:
    """The place of the first character that is no space. Raises IndexError: there is none."""
    return at if text[at] > " " else _SPACE.match(text, at).end()  # type: ignore[union-attr]


def members(text: str, at: int = 0, fits: Fits = lambda _: True) -> Iterator[Part]:
    """The members of the object that begins at a place. Raises Unfit at the first value that does not fit."""
    at = after_space(text, at + 1)
    while text[at] != "}":
        name, at = _SCAN(text, at)
        at = after_space(text, after_space(text, at) + 1)
        if not fits(at):
            raise Unfit
        value, end = _SCAN(text, at)
        yield Part(name, value, at, end)
        at = _next(text, end)


def items(text: str, at: int = 0, fits: Fits = lambda _: True) -> Iterator[Part]:
    """The items of the array that begins at a place. Raises Unfit at the first one that does not fit."""
    at = after_space(text, at + 1)
    while text[at] != "]":
        if not fits(at):
            raise Unfit
        value, end = _SCAN(text, at)
        yield Part("", value, at, end)
        at = _next(text, end)


def value_at(text: str, at: int) -> Any:
    """The value that begins at a place."""
    return _SCAN(text, at)[0]


def numbers(text: str, start: int, end: int, first: int = 0) -> Iterator[str]:
    """The numbers and nulls of an array of numbers, or of arrays of numbers, as they stand in the text."""
    return (found[0] for found in islice(_NUMBER.finditer(text, start, end), first, None))


def _next(text: str, end: int) -> int:
    """The place of what follows a value: the next one, or the closing bracket."""
    at = after_space(text, end)
    return after_space(text, at + 1) if text[at] == "," else at
