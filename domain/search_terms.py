"""The terms by which a task is found: a number for each of its arguments, made of its path and its value.

`{"to": {"city": "Köln", "zip": 5}}` has the terms of `to.city` with `Köln` and of `to.zip` with `5`. A string stands
for itself and a number, true, false or null for its JSON text, so the string "5" has the same term as the number. What
lies in a list has none, and of each task only the first MOST count. A term has 64 bits, however long the value is: two
that differ agree by a chance of one in 10^19.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from itertools import islice
from typing import Any

from domain import json_text

MOST = 50


def terms(args: Mapping[str, Any]) -> tuple[int, ...]:
    """Those of parsed arguments, each once."""
    return tuple(dict.fromkeys(islice(_terms(args, ""), MOST)))


def term(path: str, value: str) -> int:
    """That of one argument, as it is asked for: the names on the way to it with dots between, and the value as text."""
    # The length of the path keeps what belongs to it apart from what belongs to the value.
    named = f"{len(path)} {path}{value}".encode()
    return int.from_bytes(blake2b(named, digest_size=8).digest(), signed=True)


def _terms(members: Mapping[str, Any], prefix: str) -> Iterator[int]:
    for name, value in members.items():
        if isinstance(value, dict):
            yield from _terms(value, f"{prefix}{name}.")
        elif not isinstance(value, list):
            yield term(prefix + name, value if isinstance(value, str) else json_text.dump(value))
