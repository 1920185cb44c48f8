"""Arguments against the JSON Schema of their type: every wrong place is named, in words, with what was expected."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from adapters.json_schema import SchemaChecker

ANY = {"type": "object"}


def errors(properties: dict[str, Any], args: Any, **more: Any) -> dict[str, Sequence[str]]:
    schema = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    return dict(SchemaChecker().errors(json.dumps(schema), args))


def test_fitting_arguments_have_no_errors() -> None:
    assert errors({"a": {"type": "number"}, "b": {}}, {"a": 10**4299, "b": {"x": [None, "\0", 1e308]}}) == {}


def test_every_wrong_place_is_named() -> None:
    numbers = {"type": "array", "items": {"type": "number"}}
    assert errors({"a": numbers, "b": {"minimum": 0}}, {"a": ["x", 1, None], "b": -1, "c": 1}, required=["d"]) == {
        "$.d": ["is required"],
        "$.a.0": ['it is not of type "number"'],
        "$.a.2": ['it is not of type "number"'],
        "$.b": ["it is less than the minimum of 0"],
        "$.c": ["is not expected here"],
    }


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"enum": ["x", "y"]}, "z", 'it is not one of "x" or "y"'),
        ({"const": 3}, 4, "3 was expected"),
        ({"type": ["integer"]}, 0.5, 'it is not of type "integer"'),
        ({"pattern": "^a+$"}, "b", 'it does not match "^a+$"'),
        ({"maxLength": 1}, "ab", "it is longer than 1 character"),
        ({"uniqueItems": True}, [1, 1], "it has non-unique elements"),
        (False, 1, "is not expected here"),
        (
            {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "x",
            'it is not of type "integer", and it is not of type "null"',
        ),
    ],
)
def test_each_is_told_what_was_expected(schema: Any, value: Any, said: str) -> None:
    assert errors({"a": schema}, {"a": value}) == {"$.a": [said]}


def test_of_alternatives_the_one_that_nearly_fits_is_explained() -> None:
    optional = {"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "null"}]}
    assert errors({"a": optional}, {"a": [1, "x"]}) == {"$.a.1": ['it is not of type "number"']}


def test_an_error_in_a_nested_value_has_the_whole_path() -> None:
    point = {
        "type": "object",
        "properties": {"x": {"type": "number"}},
        "required": ["x"],
        "additionalProperties": False,
    }
    more = {"$defs": {"Point": point}}
    schema = {"ps": {"type": "array", "items": {"$ref": "#/$defs/Point"}}}
    assert errors(schema, {"ps": [{"x": 1}, {"y": 2}]}, **more) == {
        "$.ps.1.x": ["is required"],
        "$.ps.1.y": ["is not expected here"],
    }


def test_the_whole_is_the_dollar() -> None:
    assert errors({}, [1]) == {"$": ['it is not of type "object"']}


def test_no_message_repeats_what_was_sent() -> None:
    (said,) = errors({"a": {"type": "number"}}, {"a": "x" * 100_000})["$.a"]
    assert len(said) < 100
    assert max(map(len, errors({}, {"x" * 100_000: 1}))) < 100


@pytest.mark.parametrize(
    ("format", "right", "wrong"),
    [
        (
            "date-time",
            ["2026-01-01T12:00:00Z", "2026-01-01T12:00:00", "2026-01-01 12:00:00+02:00"],
            ["noon", "2026-13-01"],
        ),
        ("date", ["2026-01-01"], ["2026-02-30", "x"]),
        ("time", ["12:00", "12:00:00.5Z"], ["25:00", ""]),
        ("uuid", ["8c3ab5c2-4ed4-4f4b-9e6a-6f1d2b1c7a55", "8c3ab5c24ed44f4b9e6a6f1d2b1c7a55"], ["8c3a", "x" * 36]),
        ("unheard-of", ["anything"], []),
    ],
)
def test_formats_are_read_as_the_function_will_read_them(format: str, right: list[str], wrong: list[str]) -> None:
    for text in right:
        assert errors({"a": {"format": format}}, {"a": text}) == {}
    for text in wrong:
        assert errors({"a": {"format": format}}, {"a": text}) == {"$.a": [f'it is not a "{format}"']}


@pytest.mark.parametrize("schema", ['{"type":"nonsense"}', '{"pattern":"(("}', '{"$ref":"http://127.0.0.1:1/x"}', "{"])
def test_a_schema_that_is_of_no_use_is_said_and_asks_nobody(schema: str) -> None:
    ((path, (said,)),) = SchemaChecker().errors(schema, {}).items()
    assert path == "$"
    assert said.startswith("cannot be checked")


def test_a_pattern_that_could_take_for_ever_is_given_up() -> None:
    assert errors({"a": {"pattern": r"^(?=(a+)+$)\1b$"}}, {"a": "a" * 50_000})


def test_a_schema_is_compiled_once() -> None:
    checker = SchemaChecker()
    for _ in range(3):
        checker.errors(json.dumps(ANY), {})
    assert checker._validator.cache_info().misses == 1
