"""The items of a long JSON array, one at a time: never are all of them there as objects."""

import re
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any

from domain import json_text
from domain.errors import NotKept
from domain.json_text import NotJson

_SPACE = re.compile(r"[ \t\n\r]*")
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
_AT_THE_END = 16
"""So many characters before its end a text may fail because it ends."""


def items(text: str, longest: int) -> Iterator[Any]:
    """The parsed items; in the place of one that cannot be kept, or has more than `longest` characters, its NotKept.

    NotJson where the text is no array, NotKept where an item is much longer, so that its end is not looked for: the
    items before that were given already.
    """
    array = _Array(text, longest)
    array.take("[")
    if not array.is_next("]"):
        yield array.item()
        while array.goes_on():
            yield array.item()
    array.take("]")
    array.end()


class _Array:
    """How far an array was read. An item is parsed in a window on the text, which bounds what it may become."""

    def __init__(self, text: str, longest: int) -> None:
        self._text = text
        self._longest = longest
        self._at = self._nth = 0
        self._open_window()

    def is_next(self, sign: str) -> bool:
        """Whether this sign comes next."""
        self._skip_space()
        return self._text.startswith(sign, self._at)

    def take(self, sign: str) -> None:
        """Go on behind this sign."""
        if not self.is_next(sign):
            raise self._not_json(f"Expecting {sign!r}", self._at)
        self._at += 1

    def goes_on(self) -> bool:
        """Whether another item comes; then go on behind the comma."""
        comma = _COMMA.match(self._text, self._at)
        if comma:
            self._at = comma.end()
        elif not self.is_next("]"):
            raise self._not_json("Expecting ','", self._at)
        return comma is not None

    def item(self) -> Any:
        """Go on behind the item that comes next, with no space before it."""
        if self._at - self._from >= self._longest:
            self._open_window()
        start = self._at
        try:
            value, end = self._parsed()
        except NotKept as error:
            raise NotKept(f"$.{self._nth}{error.path[1:]}", error.why) from None
        self._at = self._from + end
        self._nth += 1
        return value if self._at - start <= self._longest else self._too_long()

    def end(self) -> None:
        """Nothing comes next."""
        self._skip_space()
        if self._at < len(self._text):
            raise self._not_json("Extra data", self._at)

    def _parsed(self) -> tuple[Any, int]:
        try:
            value, end = json_text.first(self._window, self._at - self._from)
            # A number that goes on behind the window is one within it.
            self._check_length(end)
            return value, end
        except JSONDecodeError as error:
            is_open = error.msg.startswith("Unterminated string")
            self._check_length(len(self._window) if is_open else error.pos + _AT_THE_END)
            raise self._not_json(error.msg, self._from + error.pos) from None

    def _check_length(self, end: int) -> None:
        is_whole = self._from + len(self._window) == len(self._text)
        if end >= len(self._window) and not is_whole:
            raise self._too_long()

    def _too_long(self) -> NotKept:
        return NotKept("$", f"an item has at most {self._longest} characters")

    def _open_window(self) -> None:
        self._from = self._at
        self._window = self._text[self._at : self._at + 2 * self._longest]

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _not_json(self, what: str, at: int) -> NotJson:
        return NotJson(str(JSONDecodeError(what, self._text, at)))
