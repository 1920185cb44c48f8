"""The items of a JSON array, parsed one at a time: the same as those of the whole array."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.json.errors import NotJson, UnkeepableJson
from application.json.items import items, with_items
from application.json.limits import MAX_DEPTH
from application.json.parsing import parse
from tests.unit.test_json_text import same, values

spaces = st.text(" \t\n\r", max_size=3)


@given(st.lists(values, max_size=8), spaces, st.booleans())
def test_items_equal_those_of_the_whole_array(array: list[object], space: str, ascii: bool):
    written = [json.dumps(value, ensure_ascii=ascii) for value in array]
    text = f"{space}[{space}" + f"{space},{space}".join(written) + f"{space}]{space}"
    assert same(list(items(text, max_characters=10**6)), parse(text))


@given(st.lists(values.filter(lambda value: len(json.dumps(value)) <= 40), max_size=30))
def test_items_are_the_same_wherever_the_windows_end(array: list[object]):
    assert same(list(items(json.dumps(array, ensure_ascii=False), max_characters=40)), array)


def refusals(text: str) -> dict[int, tuple[str, str]]:
    given = enumerate(items(text, max_characters=1000))
    return {nth: (each.path, each.why) for nth, each in given if isinstance(each, UnkeepableJson)}


def test_unkeepable_items_are_replaced_by_errors_between_the_others():
    text = '[1, {"a": NaN}, {"a": 1, "a": 2}, 1e999, "\\ud800", 2, ' + "[" * 201 + "]" * 201 + "]"
    assert refusals(text) == {
        1: ("$.a", "NaN is not a JSON number"),
        2: ("$", "the key a stands twice"),
        3: ("$", "1e999 is beyond a double"),
        4: ("$", "a lone surrogate is not a character"),
        6: ("$", f"arrays and objects may be nested {MAX_DEPTH} deep"),
    }


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_error_names_the_item_that_is_nested_without_end(opening: str):
    with pytest.raises(UnkeepableJson, match=r"^\$\.1: arrays and objects may be nested"):
        list(items(f"[1,{opening * 300_000}", max_characters=10**7))


def test_item_that_is_a_little_too_long_is_replaced_by_an_error():
    assert refusals(f'[1, "{"x" * 998}", "{"x" * 999}", 2]') == {2: ("$", "an item has at most 1000 characters")}


@pytest.mark.parametrize("item", ["1" * 90, '"' + "x" * 90 + '"', "[" + "1," * 40 + "1]", '{"a":' + "1" * 90 + "}"])
def test_item_that_is_much_too_long_is_never_parsed_as_a_whole(item: str):
    with pytest.raises(UnkeepableJson) as refusal:
        list(items(f"[0,{item},0]", max_characters=40))
    assert (refusal.value.path, refusal.value.why) == ("$.1", "an item has at most 40 characters")


@pytest.mark.parametrize(
    "text", ["", " ", "{}", "1", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "[1] x", "nul", '["a]', "[tru]"]
)
def test_text_that_is_not_an_array_raises_not_json(text: str):
    with pytest.raises(NotJson):
        list(items(text, max_characters=1000))


def test_position_of_a_mistake_counts_from_the_beginning_of_the_text():
    text = json.dumps(list(range(1000))).replace("998", "99x")
    with pytest.raises(NotJson, match=f"char {text.index('x')}"):
        list(items(text, max_characters=50))


class TestObjectsWithItems:
    @pytest.mark.parametrize(
        ("text", "members", "used"),
        [
            ("{}", {}, None),
            (' { "a" : 1 , "items" : [ 1, {"b": [2]} ] , "c" : "]" } ', {"a": 1, "c": "]"}, [1, {"b": [2]}]),
            ('{"items":[]}', {}, []),
            ('{"a":{"items":[3]},"items":[4]}', {"a": {"items": [3]}}, [4]),
        ],
    )
    def test_the_items_are_used_and_the_other_members_returned(self, text: str, members: object, used: object):
        assert with_items(text, "items", 1000, list) == (members, used)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{",
            '{"a"}',
            '{"a":}',
            '{"a":1',
            '{"a":1,}',
            '{"items":x}',
            '{"items":[1}',
            "{5:1}",
            "{} x",
            '{"a" 1}',
        ],
    )
    def test_a_text_that_is_no_object_is_not_json(self, text: str):
        with pytest.raises(NotJson):
            with_items(text, "items", 1000, list)

    @pytest.mark.parametrize(
        ("text", "path"),
        [
            ('{"a":NaN}', "$.a"),
            ('{"a":{"b":1e999}}', "$.a.b"),
            ('{"a":1,"a":2}', "$"),
            ('{"items":[],"items":[]}', "$"),
            ('{"items":5}', "$.items"),
            ('{"items":null}', "$.items"),
            ('{"a":1,"items":[0,' + "[" * 300_000, "$.items.1"),
            ('{"a":1,"b":"' + "x" * 3_000 + '"}', "$.b"),
            ('{"a":1,"items":[0,1,"' + "x" * 3_000 + '"]}', "$.items.2"),
        ],
    )
    def test_a_member_that_cannot_be_kept_is_named(self, text: str, path: str):
        with pytest.raises(UnkeepableJson) as refused:
            with_items(text, "items", 1000, list)
        assert refused.value.path == path

    @given(
        st.dictionaries(st.text(max_size=5).filter(lambda key: key != "items"), values, max_size=5), st.lists(values)
    )
    def test_members_and_items_equal_those_of_the_whole_object(self, members: dict[str, object], array: list[object]):
        text = json.dumps({**members, "items": array})
        whole = parse(text)
        found, used = with_items(text, "items", 10**6, list)
        assert same(found | {"items": used}, whole)
