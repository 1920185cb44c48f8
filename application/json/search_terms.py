"""Search terms of a task: one 64-bit number for each argument, a hash of its path and its value.

`{"to": {"city": "Köln", "zip": 5}}` has the terms of `to.city` with `Köln` and of `to.zip` with `5`. The value of a
string is the string itself; that of a number, true, false or null is its JSON text, so "5" and 5 have the same term.
Members of lists have no term, and of each task only the first MAX_TERMS arguments have one. Two different arguments
have the same term by a chance of one in 10^19. A label has a term of its own kind, of its name and its value, and so
has the owner of the task.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from itertools import islice, starmap
from typing import Any

from application.json.text import dump
from domain.ids import Owner

MAX_TERMS = 50
_NUMBERS = frozenset({int, float})


def terms(args: Mapping[str, Any]) -> tuple[int, ...]:
    """The terms of parsed arguments, each once."""
    return tuple(dict.fromkeys(starmap(term, islice(_leaves(args, ""), MAX_TERMS))))


def term(path: str, value: str) -> int:
    """The term of one argument. The path is the names that lead to it, joined by dots; the value is its text."""
    # The length of the path keeps "n" with "5" apart from "n5" with "".
    return _hashed(f"{len(path)} {path}{value}")


def label_term(name: str, value: str) -> int:
    """The term of one label, which no argument has."""
    return _hashed(f"label {len(name)} {name}{value}")


def owner_term(owner: Owner) -> int:
    """The term of the tasks of an owner, which no argument and no label has."""
    return _hashed(f"owner {owner}")


def _leaves(members: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if isinstance(value, str):
            yield prefix + name, value
        elif isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            # The repr of a number is its JSON text, and takes no encoder.
            yield prefix + name, repr(value) if type(value) in _NUMBERS else dump(value)


def _hashed(named: str) -> int:
    return int.from_bytes(blake2b(named.encode(), digest_size=8).digest(), signed=True)
