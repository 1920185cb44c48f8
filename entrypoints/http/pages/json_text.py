"""The text of one scalar of a JSON text, in pieces that fit on a page."""

import json
from dataclasses import dataclass

from application.json.scanning import Value

MAX_CHARACTERS = 50_000


@dataclass(frozen=True, slots=True)
class ShownText:
    """A piece of a text, from character number `first` on. `characters`: the number of all characters."""

    text: str
    first: int
    characters: int

    @property
    def next(self) -> int | None:
        """The number of the first character after it; None at the end."""
        end = self.first + len(self.text)
        return end if end < self.characters else None

    @property
    def before(self) -> int:
        """The number of the first character of the piece before it."""
        return max(self.first - MAX_CHARACTERS, 0)


def shown_text(text: str, value: Value, first: int) -> ShownText | None:
    """The characters of a string, or the digits of a number; None of an array or object."""
    if value.members is not None:
        return None
    part = text[value.start : value.end]
    # A lone surrogate, which only another program can have stored, has no form in UTF-8.
    whole = str(json.loads(part)).encode(errors="replace").decode() if part.startswith('"') else part
    return ShownText(whole[first : first + MAX_CHARACTERS], first, len(whole))
