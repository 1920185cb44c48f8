"""Names with values as a person types them: `n=5 to.city=Oslo "a b"="c d"`."""

import json
import re
from collections.abc import Iterable, Iterator

_WORD = r'"(?:[^"\\]|\\.)*"'
_PAIR = re.compile(rf'\s*({_WORD}|[^\s="]+)=({_WORD}|[^\s"]\S*|)(?=\s|\Z)')
_NEEDS_QUOTES = re.compile(r'[\s="\\]|[^ -~]')


def pairs_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names with their values. Raises ValueError: the text is something else."""
    at = 0
    while at < len(text.rstrip()):
        found = _PAIR.match(text, at)
        if not found:
            raise ValueError(text)
        yield _unquoted(found[1]), _unquoted(found[2])
        at = found.end()


def are_pairs(text: str) -> bool:
    """Whether a text is names with values."""
    try:
        return bool(list(pairs_of(text)))
    except ValueError:
        return False


def text_of(pairs: Iterable[tuple[str, str]]) -> str:
    """Write the names with their values, in quotes where they need them."""
    return " ".join("=".join(map(_quoted, pair)) for pair in pairs)


def _unquoted(word: str) -> str:
    if not word.startswith('"'):
        return word
    text = str(json.loads(word, strict=False))
    # A lone surrogate is no character: it raises a ValueError here.
    text.encode()
    return text


def _quoted(word: str) -> str:
    return json.dumps(word) if _NEEDS_QUOTES.search(word) else word
