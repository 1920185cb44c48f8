"""Scanning of JSON texts: the members that it finds are those of the parsed value."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from application.json.scanning import MAX_STEP, Start, member_start, members, value_at

TEXTS = st.text(st.sampled_from('\\"[]{},:ax\n\0é😀'), max_size=200)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(TEXTS, inner, max_size=8),
    max_leaves=60,
)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")])


def parts(text: str, value: object) -> object:
    """The value that the parts of a text make, each of them parsed by itself."""
    found = value_at(text)
    assert json.loads(text[found.start : found.end]) == value
    inner = [(each.key, text[each.value.start : each.value.end]) for each in members(text, found)]
    if isinstance(value, dict):
        return {json.loads(key or ""): parts(part, value[json.loads(key or "")]) for key, part in inner}
    if isinstance(value, list):
        return [parts(part, each) for (_, part), each in zip(inner, value, strict=True)]
    assert inner == []
    return value


@given(VALUES, SEPARATORS, st.booleans())
@settings(max_examples=150, deadline=None)
@example(["\\" * 63 + '"', 1], (",", ":"), False)
@example(["\\" * 64, [1, "],["]], (",", ":"), False)
def test_the_members_of_a_text_are_those_of_its_value(
    value: object, separators: tuple[str, str], escapes: bool
) -> None:
    text = json.dumps(value, separators=separators, ensure_ascii=escapes)
    assert parts(text, value) == value


@given(st.lists(VALUES, min_size=1, max_size=20), st.data())
@settings(max_examples=50, deadline=None)
def test_a_member_is_found_by_its_number(values: list[object], data: st.DataObject) -> None:
    text = json.dumps(values)
    number = data.draw(st.integers(0, len(values) - 1))
    found = member_start(text, 0, number)
    assert found
    value = value_at(text, found.value)
    assert json.loads(text[value.start : value.end]) == values[number]
    assert member_start(text, 0, len(values)) is None


@given(VALUES, SEPARATORS)
@settings(max_examples=50, deadline=None)
def test_each_member_begins_where_it_is_found_without_the_end_of_its_value(
    value: object, separators: tuple[str, str]
) -> None:
    text = f" {json.dumps([value, value], separators=separators)} "
    for number, each in enumerate(members(text, value_at(text))):
        assert member_start(text, 0, number) == Start(each.value.start)
        inner = list(members(text, each.value))
        starts = [member_start(text, each.value.start, nth) for nth in range(len(inner))]
        assert starts == [Start(found.value.start, found.key) for found in inner]
        assert member_start(text, each.value.start, len(inner)) is None


@pytest.mark.parametrize(
    "item",
    ["1.5", '"],["', '{"a":[1,{"b":"}"}],"c":"\\\\"}', "[]", "[[[[[[1],2],3],4],5],6]", '"' + "\\\\" * 500 + '"'],
)
def test_a_text_of_many_steps_has_all_its_members(item: str) -> None:
    number = 3 * MAX_STEP // len(item)
    text = f"[{','.join([item] * number)}]"
    found = value_at(text)
    assert (found.start, found.end, found.members) == (0, len(text), number)
    last = member_start(text, 0, number - 1)
    assert last
    assert text[last.value : -1] == item


def test_each_number_stands_as_it_came() -> None:
    text = '{"b":9223372036854775809,"a":1e-320,"c":1.10,"d":-0.0,"e":1E+2}'
    found = [text[each.value.start : each.value.end] for each in members(text, value_at(text))]
    assert found == ["9223372036854775809", "1e-320", "1.10", "-0.0", "1E+2"]
