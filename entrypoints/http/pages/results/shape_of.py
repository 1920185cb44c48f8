"""The shape of a result, found from its JSON text alone. Every text has exactly one."""

import re
from array import array
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from math import nan
from types import NoneType
from typing import Any
from urllib.parse import unquote_to_bytes

from entrypoints.http.pages.results.parts import Part, Unfit, after_space, items, members, value_at
from entrypoints.http.pages.results.shapes import (
    Column,
    Lines,
    Matrix,
    Numbers,
    Picture,
    Place,
    Scalars,
    Shape,
    Table,
    Text,
    Tree,
)

MAX_VECTOR_LENGTH = 16
"""Numbers that the vectors of a series have at most, if they count as several series."""
MAX_SERIES = 64
MAX_NAMED_VALUES = 500
MAX_FIELDS = 200
MAX_NAME_CHARACTERS = 100
"""Characters that the names of series and fields have at most: they stand in addresses."""
MIN_POINTS = 2
NUMBER_STARTS = frozenset("-0123456789n")
SCALAR_STARTS = NUMBER_STARTS | {'"', "t", "f"}
NUMBER_OR_NULL = {int, float, NoneType}
_DATA_URL = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml)((?:;[a-zA-Z0-9=_-]+)*),", re.ASCII)


def shape_of(text: str) -> Shape:
    """The shape of a JSON text. It is a tree as soon as a part of it fits no other shape."""
    shape_by_start = {"{": _of_object, "[": _of_array, '"': _of_string}
    with suppress(Unfit, ValueError, RecursionError, IndexError, StopIteration):
        start = after_space(text, 0)
        if text[start] in shape_by_start:
            return shape_by_start[text[start]](text, start)
    return Tree()


def _of_object(text: str, start: int) -> Shape:
    columns: list[Column] = []
    places: list[Place] = []
    scalars: list[Part] = []
    for member in members(text, start, partial(_may_be_named_value, text)):
        if isinstance(member.value, list):
            columns += _columns(_short(member.name), member.value)
            width = len(member.value[0]) if isinstance(member.value[0], list) else 1
            places.append(Place(member.start, member.end, width))
        else:
            scalars.append(member)
        if len(columns) > MAX_SERIES or len(scalars) > MAX_NAMED_VALUES:
            raise Unfit
    if columns:
        return _lines(columns, places, scalars)
    return Scalars(scalars) if scalars else Tree()


def _of_array(text: str, start: int) -> Shape:
    first = after_space(text, start + 1)
    if text[first] == "{":
        return _table(text, start)
    if not _may_be_numbers(text, start):
        raise Unfit
    values = value_at(text, start)
    if isinstance(values[0], list):
        rows = [_numbers(row) for row in values if isinstance(row, list) and row]
        if len(rows) < len(values) or len({len(row) for row in rows}) > 1:
            raise Unfit
        return Matrix(rows, Place(start, len(text), len(rows[0])))
    return _lines([Column("value", _numbers(values))], [Place(start, len(text), 1)], [])


def _of_string(text: str, start: int) -> Shape:
    value = value_at(text, start)
    return picture_of(value) or Text(value)


def picture_of(url: str) -> Picture | None:
    """The picture that a data URL holds."""
    head = _DATA_URL.match(url)
    if head is None:
        return None
    content = url[head.end() :]
    with suppress(BadBase64, ValueError):
        is_base64 = head[2].endswith(";base64")
        return Picture(head[1], b64decode(content, validate=True) if is_base64 else unquote_to_bytes(content))
    return None


def _table(text: str, start: int) -> Table:
    starts, fields = array("Q"), dict[str, Any]()
    for item in items(text, start, lambda at: text[at] == "{"):
        starts.append(item.start)
        fields.update(item.value)
        if len(fields) > MAX_FIELDS:
            raise Unfit
    if not fields:
        raise Unfit
    return Table(starts, [*map(_short, fields)])


def _short(name: str) -> str:
    if len(name) > MAX_NAME_CHARACTERS:
        raise Unfit
    return name


def _lines(columns: Sequence[Column], places: Sequence[Place], scalars: Sequence[Part]) -> Lines:
    lengths = {len(column.values) for column in columns}
    has_numbers = any(number == number for column in columns for number in column.values)
    if len(lengths) > 1 or min(lengths) < MIN_POINTS or not has_numbers:
        raise Unfit
    return Lines(columns, places, scalars)


def _columns(name: str, values: list[Any]) -> Iterator[Column]:
    """The series of one array: itself, or one for each component of its vectors."""
    if not isinstance(values[0], list):
        yield Column(name, _numbers(values))
        return
    lengths = {len(vector) if isinstance(vector, list) else 0 for vector in values}
    if len(lengths) > 1 or not 1 <= min(lengths) <= MAX_VECTOR_LENGTH:
        raise Unfit
    for at in range(min(lengths)):
        yield Column(f"{name}[{at}]", _numbers([vector[at] for vector in values]))


def _numbers(values: list[Any]) -> Numbers:
    """An array of the numbers, with NaN for null and for an integer beyond a double.

    Raises Unfit: not all are numbers.
    """
    kinds = {*map(type, values)}
    if not kinds <= NUMBER_OR_NULL:
        raise Unfit
    with suppress(TypeError, OverflowError):
        return array("d", values)
    return array("d", map(_double, values))


def _double(value: float | None) -> float:
    try:
        return nan if value is None else float(value)
    except OverflowError:
        return nan


def _may_be_named_value(text: str, at: int) -> bool:
    return text[at] in SCALAR_STARTS or _may_be_numbers(text, at)


def _may_be_numbers(text: str, at: int) -> bool:
    """Whether an array of numbers, or one of such arrays, begins at a place, as far as its first characters tell."""
    if text[at] != "[":
        return False
    first = after_space(text, at + 1)
    inner = after_space(text, first + 1) if text[first] == "[" else first
    return text[inner] in NUMBER_STARTS
