"""The terms by which a task is found: a number for each of its arguments, made of its path and its value.

`{"to": {"city": "Köln", "zip": 5}}` has the terms of `to.city` with `Köln` and of `to.zip` with `5`. A string stands
for itself and a number, true, false or null for its JSON text, so the string "5" has the same term as the number. What
lies in a list has none, and of each task only the first MOST count. A term has 64 bits, however long the value is: two
that differ agree by a chance of one in 10^19.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from itertools import islice, starmap
from typing import Any

from domain import json_text

MAX_TERMS = 50
NUMBERS = frozenset({int, float})


def terms(args: Mapping[str, Any]) -> tuple[int, ...]:
    """Those of parsed arguments, each once."""
    return tuple(dict.fromkeys(starmap(term, islice(_leaves(args, ""), MAX_TERMS))))


def term(path: str, value: str) -> int:
    """That of one argument, as it is asked for: the names on the way to it with dots between, and the value as text."""
    # The length of the path keeps what belongs to it apart from what belongs to the value.
    named = f"{len(path)} {path}{value}".encode()
    return int.from_bytes(blake2b(named, digest_size=8).digest(), signed=True)


def _leaves(members: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if isinstance(value, str):
            yield prefix + name, value
        elif isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            # The JSON text of a number, without an encoder that has to be made for it.
            yield prefix + name, repr(value) if type(value) in NUMBERS else json_text.dump(value)
