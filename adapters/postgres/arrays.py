"""Many values as the one text of a PostgreSQL array: the server reads it several times as fast as it plans a list."""

from collections.abc import Callable, Iterable
from datetime import datetime
from types import NoneType
from typing import Any


class _Elements(dict[type, Callable[[Any], str]]):
    """How a value of each type is written; a type that is not there is written as what it descends from."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        self[kind] = next(self[base] for base in kind.__mro__[1:] if base in self)
        return self[kind]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_WRITTEN = _Elements(
    {
        NoneType: lambda _: "NULL",
        int: int.__repr__,
        float: float.__repr__,
        bool: lambda value: "t" if value else "f",
        datetime: datetime.isoformat,
        str: _quoted,
    }
)

FEW_ELEMENTS = 20
"""Of more it is worth while to look whether they are all the same: of what is submitted together, most columns are."""


def array(values: Iterable[Any]) -> str:
    """What PostgreSQL reads as the array of these numbers, texts, moments, truths and Nones; to be cast there."""
    elements = list(values)
    if len(elements) > FEW_ELEMENTS and elements.count(elements[0]) == len(elements):
        return _joined([_WRITTEN[type(elements[0])](elements[0])] * len(elements))
    return _joined([_WRITTEN[type(each)](each) for each in elements])


def _joined(written: Iterable[str]) -> str:
    return "{" + ",".join(written) + "}"
