"""Kinds of fields for lists: numbers that are pasted from anywhere, tables of numbers, and lines of text."""

import re
from dataclasses import dataclass

from entrypoints.http.pages.forms.kinds import UNSHOWABLE, Plain
from entrypoints.http.pages.forms.pieces import NUMBER, listed, numbers, quoted, rows, value

MAX_LINE_CHARACTERS = 100
"""The length up to which a list of numbers is shown on one line."""
_BETWEEN_NUMBERS = re.compile(r"[\s,;]+")
_BETWEEN_LOCAL_NUMBERS = re.compile(r"[\s;]+|,\s+|,$")
_HAS_SEVERAL_SEPARATORS = re.compile(r"[;\t\n]")


@dataclass(frozen=True)
class Numbers(Plain):
    """A list of numbers, which are parted by line breaks, tabs, semicolons, commas or spaces."""

    word: str = "list of numbers"
    control: str = "numbers"
    empty: str | None = "[]"

    def show(self, json: str) -> str | None:
        items = numbers(json)
        if items is None:
            return None
        line = ", ".join(items)
        return line if len(line) <= MAX_LINE_CHARACTERS else "\n".join(items)

    def read(self, text: str) -> str:
        return text.strip() if numbers(text) is not None else _list_of(text)


@dataclass(frozen=True)
class Rows(Plain):
    """A table of numbers, one row a line. `may_be_flat`: whether one row or one column is a list alone."""

    may_be_flat: bool = False
    control: str = "numbers"
    empty: str | None = "[]"

    @property
    def word(self) -> str:
        return "table of numbers, one row a line"

    def show(self, json: str) -> str | None:
        if self.may_be_flat and (flat := Numbers().show(json)) is not None:
            return flat
        found = rows(json)
        if found is None or (self.may_be_flat and (len(found) == 1 or {1} == {*map(len, found)})) or not all(found):
            return None
        return "\n".join(", ".join(row) for row in found)

    def read(self, text: str) -> str:
        if numbers(text) is not None or rows(text) is not None:
            return text.strip()
        lines = [_list_of(line) for line in self.normal(text).split("\n") if line.strip()]
        is_flat = self.may_be_flat and (len(lines) == 1 or all("," not in line for line in lines))
        return _list_of(text) if is_flat else listed(lines)


@dataclass(frozen=True)
class Lines(Plain):
    """A list of texts, one a line."""

    word: str = "list of texts, one a line"
    control: str = "lines"
    empty: str | None = "[]"

    def show(self, json: str) -> str | None:
        found = value(json) if json.startswith("[") else None
        return None if found is None or not all(map(_is_line, found)) else "\n".join(found)

    def read(self, text: str) -> str:
        return listed([quoted(line) for line in self.normal(text).split("\n") if line])

    def normal(self, text: str) -> str:
        return text.replace("\r\n", "\n").strip("\n")


def _is_line(item: object) -> bool:
    return isinstance(item, str) and item != "" and "\n" not in item and not UNSHOWABLE.search(item)


def _list_of(text: str) -> str:
    """The list of the numbers in a text. An item that is no number becomes a string, which the check refuses.

    A comma that stands inside what other signs part may be that of a decimal, and parts nothing.
    """
    separator = _BETWEEN_LOCAL_NUMBERS if _HAS_SEVERAL_SEPARATORS.search(text.strip()) else _BETWEEN_NUMBERS
    items = [item for item in separator.split(text.strip().replace("\r\n", "\n")) if item]
    return listed([item if NUMBER.fullmatch(item) else quoted(item) for item in items])
