"""Exactness of the client: values come back unchanged to the last bit, or are refused before they are sent."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_tasks.client import Invalid
from flask_tasks.client.json_text import dump
from tests.unit.client_service import Connected
from tests.unit.http_service import Service

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


EXTREMES = (10**4299, -(10**4299), 2**64, 0.1 + 0.2, 5e-324, -0.0, "\0", "😀")


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in type, sign of zero and order of keys."""
    return repr(one) == repr(other)


def kind(value: Any) -> str:
    """Name of a parameter: integers with this many digits cannot be converted to text."""
    return type(value).__name__


@pytest.fixture(scope="module")
def connected() -> Connected:
    return Connected(Service(has_own_app=True))


@given(args=st.dictionaries(TEXTS, VALUES, max_size=5))
def test_arguments_and_results_come_back_unchanged(connected: Connected, args: dict[str, Any]) -> None:
    task = connected.client.submit("default", args)
    assert same(task.args, args)
    connected.service.succeed(dump(args).decode())
    assert same(connected.client.result(task), args)


@pytest.mark.parametrize("value", EXTREMES, ids=kind)
def test_extreme_values_come_back_unchanged(connected: Connected, value: Any) -> None:
    assert same(connected.client.submit("default", {"a": value}).args["a"], value)


@pytest.mark.parametrize("value", [{1, 2}, {(1, 2): 3}, 10**4300, "\ud800", b"x", 1j, object()], ids=kind)
def test_a_value_without_a_json_form_is_refused_with_its_path(connected: Connected, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        connected.client.submit("default", {"good": 1, "bad": [0, {"here": (1, value)}]})
    (path,) = caught.value.errors["json"]
    assert path in ("$.bad.1.here.1", "$.bad.1.here.1.<tuple>")
    assert caught.value.code is None


def test_a_value_without_a_json_form_in_one_of_many_tasks_is_refused_with_its_path(connected: Connected) -> None:
    with pytest.raises(Invalid) as caught:
        connected.client.submit_many([{}, {"args": {"a": b""}}])
    assert list(caught.value.errors["json"]) == ["$.1.args.a"]


def test_missing_values_become_null_which_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert dump({"a": [math.nan, 1, math.inf]}) == b'{"a":[null,1,null]}'
    (record,) = caplog.records
    assert record.message.endswith("in the request at $.a.0, $.a.2")


def test_two_keys_with_one_text_are_refused() -> None:
    with pytest.raises(Invalid, match="two keys"):
        dump({"a": {1: 2, "1": 3}})


def test_an_argument_of_many_tasks_may_be_nested_as_deep_as_that_of_one(connected: Connected) -> None:
    deep: Any = 1
    for _ in range(198):
        deep = [deep]
    assert len(connected.client.submit_many([{"args": {"a": deep}}])) == 1


def test_a_list_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(Invalid, match="contains itself"):
        dump(endless)


def test_a_list_that_is_nested_too_deeply_is_refused() -> None:
    deep: Any = None
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Invalid):
        dump(deep)


def test_text_is_sent_as_utf_8_without_escapes() -> None:
    assert dump({"a": ["ü", 1]}) == '{"a":["ü",1]}'.encode()
    assert json.loads(dump({"a": "ü"})) == {"a": "ü"}
