"""The values of a swept field: lists, ranges with a step, and ranges in logarithmic steps, exact as they are typed."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.json.text import dump
from entrypoints.http.pages.forms.kinds import Number
from entrypoints.http.pages.forms.pieces import NUMBER
from entrypoints.http.pages.forms.sweep_values import MAX_VALUES, NotSwept, several_numbers

ANY, WHOLE = Number("number"), Number("whole number")


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("1,2,5", ["1", "2", "5"]),
        (" 1.10 , 1e-320,9223372036854775809 ", ["1.10", "1e-320", "9223372036854775809"]),
        ("0..1 step 0.1", ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]),
        ("0..1 step 0.3", ["0.0", "0.3", "0.6", "0.9"]),
        ("1..0 step -0.5", ["1.0", "0.5", "0.0"]),
        ("1..5", ["1", "2", "3", "4", "5"]),
        ("-2..2 step 2", ["-2", "0", "2"]),
        ("1..10 step 4.5", ["1.0", "5.5", "10.0"]),
        ("1e3..3e3 step 1e3", ["1000", "2000", "3000"]),
        ("1e300..3e300 step 1e300", ["1e+300", "2e+300", "3e+300"]),
        ("0,10..12, 20", ["0", "10", "11", "12", "20"]),
        ("1e-3..1 log 4", ["1e-3", "0.01", "0.1", "1"]),
        ("1..100 log 3", ["1", "10.0", "100"]),
        ("-1..-100 log 3", ["-1", "-10.0", "-100"]),
        ("1..100 log 2", ["1", "100"]),
        ("5..5", ["5"]),
    ],
)
def test_several_numbers_are_exact(typed: str, values: list[str]) -> None:
    assert several_numbers(typed, ANY) == values


def test_logarithmic_steps_are_doubles_with_the_ends_as_they_are_typed() -> None:
    values = several_numbers("1e-3..1 log 7", ANY)
    assert values == ["1e-3", "0.0031622776601683794", "0.01", "0.03162277660168379", "0.1", "0.31622776601683794", "1"]


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("1.0,2", ["1.0", "2"]),
        ("1..3", ["1", "2", "3"]),
        ("1.0..3.0 step 1.0", ["1", "2", "3"]),
        ("1e3..3e3 step 1e3", ["1000", "2000", "3000"]),
        ("1..1000 log 4", ["1", "10", "100", "1000"]),
        ("1..100 log 5", ["1", "3", "10", "32", "100"]),
    ],
)
def test_several_whole_numbers_stay_whole(typed: str, values: list[str]) -> None:
    assert several_numbers(typed, WHOLE) == values


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("1,x", "x is no number, and no range"),
        ("1,,2", "a value is missing"),
        (",", "a value is missing"),
        ("0..1 step 0", "the step is 0"),
        ("0..1 step -1", "the step leads away from the end"),
        ("5..1", "the step leads away from the end"),
        ("0..1 log 7", "above zero, or both below it"),
        ("-1..1 log 7", "above zero, or both below it"),
        ("1..10 log 1", "two values or more"),
        ("1..1 log 3", "the ends are the same"),
        ("0..1 steps 0.1", "is no number, and no range"),
        ("0..1e9", "1,000,000,001 values"),
        ("0..1 step 1e-300", "more than 10,000 values"),
        ("1..10 log 99999", "99,999 values"),
        ("1..10 log 999999999999999999999", "more than 10,000 values"),
        ("1..10000," * 9_000 + "1", "more than 10,000 values"),
        ("1," * 100_000 + "1", "more than 10,000 values"),
        ("1e-400..1 log 3", "beyond what a number can be"),
        ("1..1e400", "more than 10,000 values"),
        ("1e200000..1e400000 step 1e200000", "more than 10,000 values"),
    ],
)
def test_a_text_that_is_no_sweep_says_why(typed: str, why: str) -> None:
    with pytest.raises(NotSwept, match=why):
        several_numbers(typed, ANY)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("0..1 step 0.5", "0.5 is no whole number"),
        ("1..3 log 5", "fewer than 5 whole numbers"),
        ("1e999999..4e999999 step 1e999997", "more than 1,000 digits"),
        ("1e1000..1e1001 step 1e1000", "more than 1,000 digits"),
    ],
)
def test_a_field_of_whole_numbers_refuses_others(typed: str, why: str) -> None:
    with pytest.raises(NotSwept, match=why):
        several_numbers(typed, WHOLE)


@pytest.mark.parametrize("typed", ["", "5", "1.5e3", "x", "-", "1 2"])
def test_one_value_is_no_sweep(typed: str) -> None:
    assert several_numbers(typed, ANY) is None


def test_words_that_a_field_takes_may_stand_among_its_numbers() -> None:
    assert several_numbers("1, auto", Number("number", suggestions=("auto",))) == ["1", '"auto"']


@given(st.integers(-99, 99), st.integers(1, 500), st.integers(0, 12))
def test_a_range_has_every_decimal_of_its_grid(start: int, steps: int, places: int) -> None:
    scale = 10**places
    first, last, step = (f"{each / scale:.{places}f}" for each in (start, start + steps, 1))
    values = several_numbers(f"{first}..{last} step {step}", ANY)
    assert values is not None
    assert [*map(Decimal, values)] == [Decimal(each).scaleb(-places) for each in range(start, start + steps + 1)]


@given(st.text("0123456789.,eE+- steplog", max_size=40), st.sampled_from([ANY, WHOLE]))
def test_any_text_gives_numbers_that_json_keeps(typed: str, kind: Number) -> None:
    try:
        values = several_numbers(typed, kind) or []
    except NotSwept:
        return
    assert len(values) <= MAX_VALUES
    assert all(NUMBER.fullmatch(each) and dump(json.loads(each)) for each in values)
