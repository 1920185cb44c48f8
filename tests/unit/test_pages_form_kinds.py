"""Kinds of fields: what they show, and what they make of what is typed, pasted or picked."""

import pytest

from entrypoints.http.pages.forms.kinds import Choice, Kind, Moment, Number, Text
from entrypoints.http.pages.forms.lists import Lines, Numbers, Rows
from entrypoints.http.pages.forms.pieces import joined, laid_out, members, numbers, rows


@pytest.mark.parametrize(
    ("kind", "typed", "json"),
    [
        (Number(), " 1.10 ", "1.10"),
        (Number(), "9223372036854775809", "9223372036854775809"),
        (Number(), "1e-320", "1e-320"),
        *((Number(), text, f'"{text}"') for text in ("1,5", ".5", "5.", "+5", "0x10", "1_0", "01", "NaN", "٣", "abc")),
        (Number(suggestions=("auto",)), "auto", '"auto"'),
        (Text(), " a\r\nb ", '" a\\nb "'),
        (Text("decimal", "line", None, takes_numbers=True), " 1.10", '"1.10"'),
        (Numbers(), "1, 2.50,3", "[1, 2.50, 3]"),
        (Numbers(), "1\r\n2\r\n\r\n3\r\n", "[1, 2, 3]"),
        (Numbers(), "1\t2\t3", "[1, 2, 3]"),
        (Numbers(), "1, 2,\r\n3", "[1, 2, 3]"),
        (Numbers(), "1 2 x", '[1, 2, "x"]'),
        (Numbers(), " [1 ,2.0] ", "[1 ,2.0]"),
        (Numbers(), '[1], "b": [2', '["[1]", "\\"b\\":", "[2"]'),
        (Rows(), "1,2\r\n3,4", "[[1, 2], [3, 4]]"),
        (Rows(), "1\t2", "[[1, 2]]"),
        (Rows(), "[[1],[2]]", "[[1],[2]]"),
        (Rows(may_be_flat=True), "1,2", "[1, 2]"),
        (Rows(may_be_flat=True), "1\r\n2", "[1, 2]"),
        (Rows(may_be_flat=True), "1 2\r\n3 4", "[[1, 2], [3, 4]]"),
        (Lines(), "a\r\n b, c\r\n", '["a", " b, c"]'),
        (Choice({"red": '"red"', "3": "3"}), "3", "3"),
        (Choice({"red": '"red"'}), "green", '"green"'),
        (Moment("date-time", "Z"), "2030-01-31T12:00Z", '"2030-01-31T12:00:00Z"'),
        (Moment("date-time", "Z"), "2030-01-31T12:00:00.5", '"2030-01-31T12:00:00.5"'),
        (Moment("date-time", "Z"), " tomorrow at 12:00", '"tomorrow at 12:00"'),
        (Moment("time", ""), "12:00", '"12:00:00"'),
        (Moment("date"), "2030-01-31", '"2030-01-31"'),
    ],
)
def test_a_text_becomes_json(kind: Kind, typed: str, json: str):
    assert kind.read(typed) == json


@pytest.mark.parametrize("typed", ["1,5;2,5", "1,5\t2,5", "1,5\r\n2,5"])
def test_a_comma_that_may_be_that_of_a_decimal_parts_no_numbers(typed: str):
    assert Numbers().read(typed) == '["1,5", "2,5"]'


@pytest.mark.parametrize(
    ("kind", "json", "text"),
    [
        (Number(), "1.10", "1.10"),
        (Number(), '"1"', None),
        (Number(suggestions=("auto",)), '"auto"', "auto"),
        (Text(), '"a\\u0000"', None),
        (Text(), '"a\\r"', None),
        (Text(), "1", None),
        (Text(takes_numbers=True), "1.10", "1.10"),
        (Numbers(), "[1 , 2.50]", "1, 2.50"),
        (Numbers(), "[]", ""),
        (Numbers(), f"[{','.join(['1234567'] * 20)}]", "\n".join(["1234567"] * 20)),
        (Numbers(), '["1"]', None),
        (Rows(), "[[1,2],[3]]", "1, 2\n3"),
        (Rows(), "[[]]", None),
        (Rows(may_be_flat=True), "[[1,2]]", None),
        (Rows(may_be_flat=True), "[[1],[2]]", None),
        (Lines(), '["a","b"]', "a\nb"),
        (Lines(), '["a\\nb"]', None),
        (Lines(), '[""]', None),
        (Lines(), "[1]", None),
        (Choice({"true": "true"}), "true", "true"),
        (Choice({"é": '"é"'}), '"\\u00e9"', "é"),
        (Choice({"true": "true"}), "1", None),
    ],
)
def test_json_is_shown_as_a_text_where_that_is_exact(kind: Kind, json: str, text: str | None):
    assert kind.show(json) == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("2030-01-31T12:00:00+02:00", ("2030-01-31T12:00:00", "+02:00")),
        ("2030-01-31T12:00Z", ("2030-01-31T12:00", "Z")),
        ("2030-01-31T12:00:00.125", ("2030-01-31T12:00:00.125", "")),
        ("2030-01-31T12:00:00.123456Z", None),
        ("2030-01-31 12:00:00Z", None),
        ("2030-01-31", None),
    ],
)
def test_a_time_is_split_where_a_native_field_shows_it_exactly(text: str, parts: tuple[str, str] | None):
    assert Moment("date-time", "Z").split(text) == parts


def test_a_time_is_the_same_without_seconds_that_are_zero():
    kind = Moment("date-time", "Z")
    assert kind.normal("2030-01-31T12:00:00.000Z") == kind.normal("2030-01-31T12:00Z") == "2030-01-31T12:00Z"
    assert kind.normal("2030-01-31T12:00:01.500Z") == "2030-01-31T12:00:01.5Z"


@pytest.mark.parametrize("text", ["", "[]", "{", "{} x", '{"a":1,}', '{"a" 1}', "{1:2}", '{"a":1 "b":2}', '{"a":1}}'])
def test_a_text_that_is_no_object_has_no_members(text: str):
    assert members(text) is None


def test_members_keep_their_texts():
    found = members(' { "a" : 1.10 , "b\\n":[1 , {"c": 2}],"d":1e400} ')
    assert found == {"a": "1.10", "b\n": '[1 , {"c": 2}]', "d": "1e400"}
    assert joined(found) == '{"a": 1.10, "b\\n": [1 , {"c": 2}], "d": 1e400}'
    assert members(laid_out(joined(found))) == found


@pytest.mark.parametrize("text", ["[1,]", "[,]", "[1 2]", "[\xa01]", "[01]", "1", "[[1]]", "[1]]", "[1.]"])
def test_a_text_that_is_no_list_of_numbers_has_none(text: str):
    assert numbers(text) is None


@pytest.mark.parametrize("text", ["[[1],,[2]]", "[[1] [2]]", "[[1],]", "[1]", "[[1,]]", "[[[1]]]", '[["a"]]', "[[1]]]"])
def test_a_text_that_is_no_table_of_numbers_has_no_rows(text: str):
    assert rows(text) is None


def test_a_long_text_is_split_in_no_time():
    long = f"[{','.join(['1.5'] * 200_000)}"
    assert (numbers(long), rows(f"[{long}"), members(f'{{"a":{long}')) == (None, None, None)
    assert len(numbers(f"{long}]") or ()) == 200_000
