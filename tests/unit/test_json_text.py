"""JSON that comes back as it went in, or is refused with the place named."""

import json
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.json.errors import NotJson, UnkeepableJson
from application.json.limits import MAX_DEPTH, MAX_INTEGER_DIGITS
from application.json.parsing import parse
from application.json.text import canonical, dump

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


def same(one: object, other: object) -> bool:
    """Equal to the type, the order of keys and the sign of zero."""
    return repr(one) == repr(other)


class TestKept:
    @given(values)
    def test_every_value_comes_back_as_it_was(self, value: object):
        assert same(parse(dump(value)), value)

    @given(values, st.booleans(), st.none() | st.integers(0, 2))
    def test_value_comes_back_however_it_was_written(self, value: object, ascii: bool, indent: int | None):
        assert same(parse(json.dumps(value, ensure_ascii=ascii, indent=indent)), value)

    @given(values)
    def test_value_comes_back_from_careful_parsing(self, value: object):
        assert same(parse(f'["\\ud83d\\ude00", -0, {dump(value)}]'), ["😀", -0.0, value])

    @given(values)
    def test_dumped_text_has_no_nul_and_a_form_in_utf_8(self, value: object):
        assert "\0" not in dump(value)
        assert dump(value).encode()

    @pytest.mark.parametrize(
        "text",
        [
            '{"z":1,"a":2,"m":{"y":1,"b":2}}',
            "-0.0",
            "5e-324",
            "1.7976931348623157e+308",
            "0.1",
            "9" * MAX_INTEGER_DIGITS,
            "-" + "9" * MAX_INTEGER_DIGITS,
            "9007199254740993",
            '"\\u0000"',
            '"\\"\\\\/"',
            '"😀\u2028\ufeff\uffff"',
            '[true,false,null,"",{},[]]',
            '{"":{"":0}}',
        ],
    )
    def test_compact_text_comes_back_unchanged(self, text: str):
        assert dump(parse(text)) == text

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("1.0", "1.0"),
            ("1E2", "100.0"),
            ("-0", "-0.0"),
            ("1e-400", "0.0"),
            ('"\\ud83d\\ude00"', '"😀"'),
            ('"\\u00e9"', '"é"'),
            (' { "a" : [ 1 , 2 ] }\n', '{"a":[1,2]}'),
        ],
    )
    def test_other_notations_keep_the_value(self, text: str, kept: str):
        assert dump(parse(text)) == kept

    def test_greatest_depth_is_kept(self):
        for deepest in ("[" * MAX_DEPTH + "]" * MAX_DEPTH, '{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH):
            assert dump(parse(deepest)) == deepest

    def test_brackets_in_strings_do_not_nest(self):
        text = '["' + "[{" * 1000 + '\\"' + "[{" * 1000 + '"]'
        assert dump(parse(text)) == text

    def test_many_brackets_beside_each_other_do_not_nest(self):
        text = "[" + ",".join(["[]", "{}"] * 1000) + "]"
        assert dump(parse(text)) == text


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "refusal"),
        [
            ("NaN", "$: NaN is not a JSON number"),
            ('{"a":[1,Infinity]}', "$.a.1: Infinity is not a JSON number"),
            ('{"a":{"b":-Infinity}}', "$.a.b: -Infinity is not a JSON number"),
            ('{"a":1e400}', "$.a: 1e400 is beyond a double"),
            ('{"a":-1e400}', "$.a: -1e400 is beyond a double"),
            ('{"a":[0,' + "9" * 4301 + "]}", "$.a.1: an integer has at most 4300 digits"),
            ('{"a":-' + "9" * 4301 + "}", "$.a: an integer has at most 4300 digits"),
            ('{"a":"\\ud800"}', "$.a: a lone surrogate is not a character"),
            ('{"a":"\\ude00\\ud83d"}', "$.a: a lone surrogate is not a character"),
            ('{"\\udfff":1}', "$.\\udfff: a lone surrogate is not a character"),
            ('{"a":1,"b":2,"a":3}', "$: the key a stands twice"),
            ('{"a":[{"b":1,"b":1}]}', "$.a.0: the key b stands twice"),
            ('{"a":1,"\\u0061":2}', "$: the key a stands twice"),
            ("[" * 201 + "]" * 201, "$: arrays and objects may be nested 200 deep"),
            ('{"a":[' * 101, "$: arrays and objects may be nested 200 deep"),
        ],
    )
    def test_unkeepable_json_is_refused_with_its_path(self, text: str, refusal: str):
        with pytest.raises(UnkeepableJson) as refused:
            parse(text)
        assert str(refused.value) == refusal

    def test_first_of_several_unkeepable_parts_is_named(self):
        with pytest.raises(UnkeepableJson, match=r"^\$\.b\.c: NaN"):
            parse('{"a":[1,{}],"b":{"x":"ok","c":NaN},"d":1e999}')

    def test_a_key_is_refused_before_what_stands_under_it(self):
        with pytest.raises(UnkeepableJson, match="surrogate"):
            parse('{"\\ud800":NaN}')

    @given(st.lists(st.integers(0, 3) | st.sampled_from("ab"), max_size=6))
    def test_path_leads_to_the_unkeepable_part(self, steps: list[int | str]):
        text = "NaN"
        for step in reversed(steps):
            text = f'{{"{step}":{text}}}' if isinstance(step, str) else "[" + "0," * step + text + "]"
        with pytest.raises(UnkeepableJson) as refused:
            parse(text)
        assert refused.value.path == ".".join(["$", *map(str, steps)])

    @pytest.mark.parametrize(
        "text",
        ["", " ", "{", "[1,]", "{'a':1}", "nul", "01", "1.", ".5", "+1", '"\n"', '"\\x"', "1 2", "\ufeff1", '{"a" 1}'],
    )
    def test_text_that_is_not_json_raises_not_json(self, text: str):
        with pytest.raises(NotJson):
            parse(text)

    def test_nan_is_not_dumped(self):
        with pytest.raises(ValueError, match="Out of range float"):
            dump(float("nan"))


@pytest.mark.parametrize(
    "text",
    [
        '{"a":"' + '\\"' * 30_000 + "[" * 300,
        "[" + '"",' * 300_000 + "[" * 300,
        "[" * 1_000_000,
        ('{"' + "k" * 80 + '":') * 190 + "[" + "1," * 400_000 + '"\\ud800"]' + "}" * 190,
    ],
    ids=["a string that never ends", "strings and brackets", "brackets", "many members under a long path"],
)
def test_hostile_text_is_refused_within_moments(text: str):
    begun = time.monotonic()
    with pytest.raises((NotJson, UnkeepableJson)):
        parse(text)
    assert time.monotonic() - begun < 5


class TestCanonical:
    @pytest.mark.parametrize(
        ("one", "other"),
        [('{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}'), ("[1.0]", "[1]"), ("-0.0", "0"), ("1e2", "100")],
    )
    def test_equal_values_have_the_same_canonical_text(self, one: str, other: str):
        assert canonical(parse(one)) == canonical(parse(other))

    @pytest.mark.parametrize(
        ("one", "other"), [("[1,2]", "[2,1]"), ("1", "true"), ("0", "false"), ('"1"', "1"), ("1.5", "1"), ("{}", "[]")]
    )
    def test_different_values_have_different_canonical_texts(self, one: str, other: str):
        assert canonical(parse(one)) != canonical(parse(other))


def test_importing_json_loads_neither_ports_nor_use_cases():
    modules = "application.json.items, application.json.search_terms, application.json.fingerprint"
    loaded = subprocess.check_output([sys.executable, "-c", f"import {modules}, sys; print(*sys.modules)"], text=True)
    ours = {name for name in loaded.split() if name.startswith("application.")}
    assert {name for name in ours if not name.startswith("application.json")} == {"application.errors"}
