"""Points of many tasks: the scalars of their arguments and of their results, by name."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TypeAlias, TypeVar

MAX_DEPTH = 4
"""Objects in objects whose members are scalars of their own."""
MAX_NAMES = 40
"""Scalars of one task's arguments, and of its result."""
MAX_NAME_CHARACTERS = 100
MAX_TEXT_CHARACTERS = 40
MAX_ITEMS = 4
"""Items up to which each of a list counts, as those of a vector; of a longer list the last one does."""
MAX_EXACT = 2**53
"""Up to it, each integer is a double of its own."""
LENGTH = "length"
"""The last step of the name of the number of items of a list."""
Scalar: TypeAlias = float | str | bool
T = TypeVar("T")


@dataclass
class Points:
    """The scalars of tasks, in the order in which these were added. None where a task has none of a name.

    - `arguments`: numbers, short texts, true and false, by names such as `dt` and `to.x`. Integers beyond MAX_EXACT
      are texts.
    - `values`: numbers of the results, by names such as `$`, `$.range`, `$.times[-1]` and `$.times.length`.
    """

    count: int = 0
    arguments: dict[str, list[Scalar | None]] = field(default_factory=dict)
    values: dict[str, list[float | None]] = field(default_factory=dict)

    def add(self, args: str, result: str) -> None:
        """Add a task by the JSON texts of its arguments and its result."""
        named = dict(_few(_scalars("", _read(args, _exact))))
        numbers = {name: each for name, each in _few(_measures("$", _read(result))) if isfinite(each)}
        _append(self.arguments, named, self.count)
        _append(self.values, numbers, self.count)
        self.count += 1

    @property
    def measures(self) -> Sequence[str]:
        """The numbers of the results: first those outside of lists, and last the lengths of these."""
        return sorted(self.values, key=lambda name: (name.endswith(f".{LENGTH}"), "[" in name))

    @property
    def swept(self) -> Sequence[str]:
        """The arguments that have more than one value."""
        return [name for name, each in self.arguments.items() if len({*each} - {None}) > 1]

    @property
    def swept_numbers(self) -> Sequence[str]:
        """Those of them that are numbers."""
        return [name for name in self.swept if all(each is None or is_number(each) for each in self.arguments[name])]


def is_number(value: object) -> bool:
    """Whether a scalar is a number, not true or false."""
    return isinstance(value, float)


def _read(text: str, integer: Callable[[str], float | str] = float) -> object:
    """The value of a JSON text, with floats in place of numbers; None of one that nests too deeply."""
    try:
        found: object = json.loads(text, parse_int=integer)
    except (ValueError, RecursionError):
        return None
    return found


def _exact(integer: str) -> float | str:
    """An integer as a float up to MAX_EXACT, else its text: near seeds are different values."""
    is_short = len(integer) <= len(str(-MAX_EXACT))
    return float(integer) if is_short and abs(int(integer)) <= MAX_EXACT else integer


def _append(columns: dict[str, list], named: Mapping[str, object], count: int) -> None:  # type: ignore[type-arg]
    for name in named:
        if name not in columns:
            columns[name] = [None] * count
    for name, column in columns.items():
        column.append(named.get(name))


def _few(named: Iterator[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """The first scalars whose names are not too long."""
    short = ((name, each) for name, each in named if len(name) <= MAX_NAME_CHARACTERS)
    return (each for each, _ in zip(short, range(MAX_NAMES), strict=False))


def _scalars(path: str, value: object, depth: int = MAX_DEPTH) -> Iterator[tuple[str, Scalar]]:
    match value:
        case bool() | float():
            yield path, value
        case str() if len(value) <= MAX_TEXT_CHARACTERS:
            yield path, value
        case dict() if depth:
            for name, each in value.items():
                yield from _scalars(f"{path}.{name}" if path else name, each, depth - 1)


def _measures(path: str, value: object, depth: int = MAX_DEPTH) -> Iterator[tuple[str, float]]:
    match value:
        case bool():
            return
        case float():
            yield path, value
        case list():
            yield f"{path}.{LENGTH}", float(len(value))
            items = [*enumerate(value)] if len(value) <= MAX_ITEMS else [(-1, value[-1])]
            for at, each in items if depth else ():
                yield from _measures(f"{path}[{at}]", each, depth - 1)
        case dict() if depth:
            for name, each in value.items():
                yield from _measures(f"{path}.{name}", each, depth - 1)
