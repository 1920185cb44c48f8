"""Comparisons of tasks: their arguments and the single values of their results, side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from entrypoints.http.pages.results.parts import Part, after_space, members, value_at
from entrypoints.http.pages.results.shapes import Lines, Scalars, Shape
from entrypoints.http.pages.results.tables import Cell, cell_of

MAX_DEPTH = 5
"""Objects in objects whose members are compared one by one; deeper ones are compared as a whole."""
MAX_ROWS = 100
MAX_PREFIX_CHARACTERS = 200
"""Characters of the name of an object whose members are compared one by one: it stands before each of theirs."""


@dataclass(frozen=True, slots=True)
class Row:
    """A name with the value that each task has for it."""

    name: str
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Rows:
    """Names whose values differ, and names whose values are the same in all tasks. `hidden`: the number of others."""

    different: Sequence[Row]
    same: Sequence[Row]
    hidden: int = 0


Named = Mapping[str, tuple[str, Part]]
"""Values by name, each with the text that it stands in."""


def arguments_of(text: str) -> Named:
    """The arguments of a task. Members of objects have names such as `a.b`."""
    return {name: (text, part) for name, part in _leaves(text, after_space(text, 0), "", MAX_DEPTH)}


def values_of(text: str, shape: Shape) -> Named:
    """The single values of a result: of a mapping those that it has, of a single value this one."""
    start = after_space(text, 0)
    match shape:
        case Scalars():
            parts: Sequence[Part] = shape.members
        case Lines():
            parts = shape.scalars
        case _ if text[start] == "{":
            parts = [part for part in members(text, start) if not isinstance(part.value, dict | list)]
        case _ if text[start] == "[":
            parts = []
        case _:
            parts = [Part("result", value_at(text, start), start, len(text))]
    return {part.name: (text, part) for part in parts}


def rows_of(tasks: Sequence[Named]) -> Rows:
    """The values of tasks side by side: two are the same if they stand so in the JSON text."""
    different, same = list[Row](), list[Row]()
    names = [*dict.fromkeys(name for named in tasks for name in named)]
    for name in names[:MAX_ROWS]:
        found = [named.get(name) for named in tasks]
        sources = {each and each[1].source(each[0]).strip() for each in found}
        row = Row(name, [cell_of(*each) if each else cell_of("", None) for each in found])
        (different if len(sources) > 1 else same).append(row)
    return Rows(different, same, max(len(names) - MAX_ROWS, 0))


def _leaves(text: str, at: int, prefix: str, depth: int) -> Iterator[tuple[str, Part]]:
    for part in members(text, at):
        name = f"{prefix}{part.name}"
        is_opened = depth > 1 and len(name) <= MAX_PREFIX_CHARACTERS
        if isinstance(part.value, dict) and part.value and is_opened:
            yield from _leaves(text, part.start, f"{name}.", depth - 1)
        else:
            yield name, part
