"""PostgreSQL arrays as text: the server reads one several times as fast as it plans a list of parameters."""

from collections.abc import Callable, Iterable
from datetime import datetime
from types import NoneType
from typing import Any


class _Elements(dict[type, Callable[[Any], str]]):
    """How to write a value of each type. A type that is missing is written like its nearest base."""

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
"""Number of elements up to which comparing them all costs more than it saves.

Most columns of tasks that are submitted together have one value only, which is then written once.
"""


def array(values: Iterable[Any]) -> str:
    """Return the values as the text of an array, which the statement casts to its type.

    `values`: numbers, strings, datetimes, booleans and Nones.
    """
    elements = list(values)
    if len(elements) > FEW_ELEMENTS and elements.count(elements[0]) == len(elements):
        return _joined([_WRITTEN[type(elements[0])](elements[0])] * len(elements))
    return _joined([_WRITTEN[type(each)](each) for each in elements])


def _joined(written: Iterable[str]) -> str:
    return "{" + ",".join(written) + "}"
