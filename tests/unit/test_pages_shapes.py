"""Shapes of results: every JSON text has exactly one, and numbers keep their text."""

import csv
import json
from io import StringIO
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.pages.results.files import csv_of
from entrypoints.http.pages.results.settings import Settings
from entrypoints.http.pages.results.shape_of import shape_of
from entrypoints.http.pages.results.shapes import Lines, Matrix, Picture, Scalars, Table, Text, Tree
from entrypoints.http.pages.results.shown import show
from entrypoints.http.pages.results.tables import number_rows

PIXEL = "iVBORw0KGgo="
NUMBERS = st.one_of(st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
SCALARS = st.one_of(st.booleans(), st.text(max_size=8), NUMBERS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.text(max_size=5), inner, max_size=5),
        st.lists(NUMBERS, max_size=6),
    ),
    max_leaves=20,
)
TEXTS = st.builds(json.dumps, VALUES, indent=st.sampled_from([None, 1]), ensure_ascii=st.booleans())
SETTINGS = st.builds(
    Settings,
    x=st.one_of(st.none(), st.sampled_from(["#", "t", "a"])),
    log=st.frozensets(st.sampled_from("xy")),
    sort=st.one_of(st.none(), st.text(max_size=2)),
    is_descending=st.booleans(),
    row=st.integers(1, 10**8),
    form=st.sampled_from(["", "lines", "heat"]),
)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ('{"t": [0, 1], "y": [1.5, null]}', Lines),
        ('{"times":[0,1],"positions":[[1,2,3],[4,5,6]]}', Lines),
        ('{"y":[1,2],"unit":"V","ok":true}', Lines),
        ("[1, 2, null]", Lines),
        ("[[1,2],[3,4]]", Matrix),
        ("[[1,null],[3,4]]", Matrix),
        ('[{"a":1},{"b":2}]', Table),
        ('{"a":1,"b":"two","c":null}', Scalars),
        (f'"data:image/png;base64,{PIXEL}"', Picture),
        ('"data:image/svg+xml;charset=utf-8,%3Csvg/%3E"', Picture),
        ('"data:text/html,<b>"', Text),
        ('"data:image/png;base64,###"', Text),
        ('"text"', Text),
        ("{}", Tree),
        ("[]", Tree),
        ("[[]]", Tree),
        ("5", Tree),
        ("null", Tree),
        ("[null,null]", Tree),
        ("[1]", Tree),
        ('{"a":[1,2],"b":[1]}', Tree),
        ('{"a":[1,"2"]}', Tree),
        ('{"a":[1,true]}', Tree),
        ('{"a":[[1,2],[3]]}', Tree),
        ('{"a":[[1],2]}', Tree),
        ('{"a":{"b":1}}', Tree),
        ('[{"a":1},2]', Tree),
        ("[{},{}]", Tree),
        ("[[1,2],[3]]", Tree),
        ("[[1],[[2]]]", Tree),
        ('["a","b"]', Tree),
    ],
)
def test_shape_of_a_text(text: str, shape: type) -> None:
    assert type(shape_of(text)) is shape
    assert type(shape_of(f"\n {text} ")) is shape


def test_components_of_short_vectors_are_series_of_their_own() -> None:
    shape = shape_of('{"times":[0,1],"positions":[[1,2,3],[4,5,null]]}')
    assert isinstance(shape, Lines)
    assert [column.name for column in shape.columns] == ["times", "positions[0]", "positions[1]", "positions[2]"]
    assert [*shape.columns[2].values] == [2, 5]
    assert isnan(shape.columns[3].values[1])


def test_vectors_that_are_long_are_no_series() -> None:
    assert isinstance(shape_of(json.dumps({"a": [[0.5] * 17] * 3})), Tree)


def test_an_integer_beyond_a_double_is_a_gap() -> None:
    shape = shape_of(f"[1, {10**400}, 3]")
    assert isinstance(shape, Lines)
    assert isnan(shape.columns[0].values[1])


@pytest.mark.parametrize("text", ["", " ", "{", '{"a"', "[1,", '"', "[" * 100_000, '{"a":' * 100_000, "NaN", "\x00"])
def test_text_that_is_no_json_is_a_tree(text: str) -> None:
    assert shape_of(text) == Tree()


@given(TEXTS, SETTINGS)
def test_any_json_is_shown_by_one_shape_with_any_settings(text: str, settings: Settings) -> None:
    shown = show(text, settings)
    assert shown.kind in ("lines", "heat", "table", "scalars", "picture", "text", "tree")
    assert (csv_of(text, shape_of(text)) is not None) == shown.has_csv


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=2, max_size=20), st.sampled_from([None, 1]))
def test_rows_of_numbers_are_those_of_the_text(rows: list[tuple[float, ...]], indent: int | None) -> None:
    text = json.dumps({"a": [row[0] for row in rows], "b": [row[1:] for row in rows]}, indent=indent)
    shape = shape_of(text)
    if isinstance(shape, Lines):
        assert [*number_rows(text, shape.places)] == [tuple(map(json.dumps, row)) for row in rows]


def test_csv_of_series_has_the_numbers_of_the_text_and_nothing_for_null() -> None:
    text = '{"t": [1e-320, 9223372036854775809], "v": [[1.50, -0.0], [null, 1E+5]]}'
    assert _csv(text) == [["t", "v[0]", "v[1]"], ["1e-320", "1.50", "-0.0"], ["9223372036854775809", "", "1E+5"]]


def test_csv_of_objects_has_all_fields_and_quotes_text() -> None:
    text = '[{"a": "x,\\"y\\"\\n", "b": 1.0}, {"b": null, "c": {"d": [1.0]}}]'
    assert _csv(text) == [["a", "b", "c"], ['x,"y"\n', "1.0", ""], ["", "", '{"d": [1.0]}']]


def test_csv_of_a_matrix_and_of_single_values() -> None:
    assert _csv("[[1.0,2],[null,4]]") == [["1.0", "2"], ["", "4"]]
    assert _csv('{"a":1.0,"b":null}') == [["name", "value"], ["a", "1.0"], ["b", ""]]


def _csv(text: str) -> list[list[str]]:
    pieces = csv_of(text, shape_of(text))
    assert pieces is not None
    return [*csv.reader(StringIO("".join(pieces), newline=""))]
