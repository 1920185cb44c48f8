"""Tables of results: rows as they stand in the JSON text, sorted and paged, few enough for a page."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from entrypoints.http.pages.results.parts import NULL, Part, members, numbers, value_at
from entrypoints.http.pages.results.shapes import Place, Table
from entrypoints.http.pages.visible import visible

PAGE_ROWS = 100
MAX_PAGE_BYTES = 24_000
"""Bytes that the cells of a page have at most, with their markup; one row is always shown."""
MAX_PAGE_COLUMNS = 30
MAX_CELL_CHARACTERS = 200
CELL_BYTES = 25
"""Bytes of a cell without its text."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in a table. `kind`: number, string, word, json, or missing. `is_cut`: whether the text ends too early."""

    text: str
    kind: str
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row with its number in the result, which begins at 1."""

    number: int
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class TablePage:
    """Some rows of a table.

    - `fields`: the names of the columns that are shown; `hidden`: the number of the others.
    - `first`: the place of the first row in the present order, from 1; `total`: the number of all rows.
    """

    fields: Sequence[str]
    hidden: int
    rows: Sequence[Row]
    first: int
    total: int

    @property
    def last(self) -> int:
        """The place of the last row that is shown."""
        return self.first + len(self.rows) - 1

    @property
    def next(self) -> int | None:
        """The first row of the page after this one."""
        return self.last + 1 if self.last < self.total else None

    @property
    def previous(self) -> int | None:
        """The first row of the page before this one."""
        return max(self.first - PAGE_ROWS, 1) if self.first > 1 else None


def cell_of(text: str, part: Part | None) -> Cell:
    """The cell of a value, as it stands in the text. A string is shown without its quotes."""
    if part is None:
        return Cell("–", "missing")
    kind = _kind(part.value)
    shown = part.value if kind == "string" else part.source(text)
    return _cell(shown, kind)


def objects_page(text: str, table: Table, first: int, sort: str | None, is_descending: bool) -> TablePage:
    """A page of a list of objects, sorted by a field: numbers, then strings, then words, then all others."""
    fields = table.fields[:MAX_PAGE_COLUMNS]
    order: Sequence[int] = range(len(table.starts))
    if sort in table.fields:
        order = _sorted(text, table, str(sort), is_descending)
    first = min(first, len(order))
    rows = (Row(at + 1, _cells(text, table.starts[at], fields)) for at in order[first - 1 :])
    return TablePage(fields, len(table.fields) - len(fields), _fitting(rows), first, len(order))


def numbers_page(text: str, names: Sequence[str], places: Sequence[Place], first: int, total: int) -> TablePage:
    """A page of arrays of numbers that stand side by side."""
    first = min(first, total)
    rows = (
        Row(number, [_cell(each, "missing" if each == NULL else "number") for each in each_row])
        for number, each_row in enumerate(
            (row[:MAX_PAGE_COLUMNS] for row in number_rows(text, places, first - 1)), start=first
        )
    )
    fields = names[:MAX_PAGE_COLUMNS]
    return TablePage(fields, len(names) - len(fields), _fitting(rows), first, total)


def number_rows(text: str, places: Sequence[Place], first: int = 0) -> Iterator[tuple[str, ...]]:
    """Numbers of arrays side by side, as they stand in the text, from a row on that is counted from 0."""
    columns = (zip(*[numbers(text, start, end, first * width)] * width, strict=False) for start, end, width in places)
    return (tuple(chain.from_iterable(parts)) for parts in zip(*columns, strict=False))


def markup_bytes(text: str) -> int:
    """The bytes of a text in a page."""
    return len(visible(text).encode(errors="replace"))


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "string"
    if value is None or isinstance(value, bool):
        return "word"
    return "json" if isinstance(value, dict | list) else "number"


def _cell(shown: str, kind: str) -> Cell:
    is_cut = len(shown) > MAX_CELL_CHARACTERS
    return Cell(shown[: MAX_CELL_CHARACTERS - 1] + "…" if is_cut else shown, kind, is_cut)


def _cells(text: str, start: int, fields: Sequence[str]) -> Sequence[Cell]:
    parts_by_name = {part.name: part for part in members(text, start)}
    return [cell_of(text, parts_by_name.get(name)) for name in fields]


def _sorted(text: str, table: Table, field: str, is_descending: bool) -> list[int]:
    """The rows in the order of a field. Rows without it, and with null, are last in both directions."""
    values = [value_at(text, start).get(field) for start in table.starts]
    known = [at for at, value in enumerate(values) if value is not None]
    unknown = [at for at, value in enumerate(values) if value is None]
    return sorted(known, key=lambda at: _sort_key(values[at]), reverse=is_descending) + unknown


def _sort_key(value: Any) -> tuple[int, Any]:
    rank = ("number", "string", "word", "json").index(_kind(value))
    return rank, len(value) if rank == 3 else value


def _fitting(rows: Iterable[Row]) -> list[Row]:
    """The first rows that a page has room for."""
    fitting, size = list[Row](), 0
    for row in islice(rows, PAGE_ROWS):
        size += sum(markup_bytes(cell.text) + CELL_BYTES for cell in row.cells)
        if fitting and size > MAX_PAGE_BYTES:
            break
        fitting.append(row)
    return fitting
