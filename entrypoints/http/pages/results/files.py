"""Files made of results: CSV, row by row, with numbers as they stand in the JSON text.

A text that a spreadsheet would take for a formula, and carry out, has an apostrophe before it.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from entrypoints.http.pages.results.parts import NULL, Part, members
from entrypoints.http.pages.results.shapes import Lines, Matrix, Scalars, Shape, Table
from entrypoints.http.pages.results.tables import number_rows

ROWS_AT_ONCE = 1_000
_FORMULA = re.compile(r"(?![-+]?[0-9.]+([eE][-+]?[0-9]+)?\Z)[=+\-@\t\r\n]")


def csv_of(text: str, shape: Shape) -> Iterator[str] | None:
    """The CSV of a result, in pieces; None if its shape has none. Null and what is missing are empty."""
    match shape:
        case Lines():
            return _written(_number_rows([column.name for column in shape.columns], number_rows(text, shape.places)))
        case Matrix():
            return _written(_without_null(number_rows(text, [shape.place])))
        case Table():
            return _written(_object_rows(text, shape))
        case Scalars():
            return _written([("name", "value"), *((_inert(part.name), _field(text, part)) for part in shape.members)])
    return None


def _number_rows(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    yield [*map(_inert, names)]
    yield from _without_null(rows)


def _without_null(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    return (["" if each == NULL else each for each in row] for row in rows)


def _object_rows(text: str, table: Table) -> Iterator[Sequence[str]]:
    yield [*map(_inert, table.fields)]
    for start in table.starts:
        parts_by_name = {part.name: part for part in members(text, start)}
        yield [_field(text, parts_by_name.get(name)) for name in table.fields]


def _field(text: str, part: Part | None) -> str:
    if part is None or part.value is None:
        return ""
    return _inert(part.value) if isinstance(part.value, str) else part.source(text)


def _inert(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _written(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of CSV, many at a time."""
    buffer = StringIO()
    write = csv.writer(buffer).writerow
    for number, row in enumerate(rows, start=1):
        write(row)
        if number % ROWS_AT_ONCE == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
