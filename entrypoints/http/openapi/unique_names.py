"""Names that stay different in every generated client, however it writes them: `a_b`, `AB` or `a-b`."""

import hashlib
import re
from collections.abc import Iterable

MAX_CHARACTERS = 80
"""Client generators make file names of the names; file systems allow 255 bytes."""


class UniqueNames:
    """Gives each caller another name. Names that differ in case or punctuation alone count as the same."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {_folded(each) for each in taken}

    def take(self, name: str, source: str) -> str:
        """Take a name; with a digest of its source at the end if the name is taken or long."""
        while len(name) > MAX_CHARACTERS or _folded(name) in self._taken:
            source = hashlib.sha256(source.encode()).hexdigest()
            name = f"{name[: MAX_CHARACTERS - 7]}_{source[:6]}"
        self._taken.add(_folded(name))
        return name


def snake_case(name: str) -> str:
    """Make an ASCII identifier of words that are joined by underscores."""
    return "_".join(_words(name))


def pascal_case(*names: str) -> str:
    """Make an ASCII identifier of capitalized words, which begins with a letter."""
    text = "".join(word[0].upper() + word[1:] for name in names for word in _words(name))
    return text if text[:1].isalpha() else f"Type{text}"


def _words(name: str) -> list[str]:
    """Split a name into ASCII words. A letter beyond ASCII is a word with the number of the letter."""
    return re.findall("[A-Za-z0-9]+", re.sub(r"[^\x00-\x7f]", lambda found: f" u{ord(found[0]):x} ", name))


def _folded(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())
