"""Results of functions as JSON text, and the errors of those without a JSON form."""

import json
from collections import Counter, OrderedDict, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from adapters.executors.functions.json_form import MAX_RESULT_BYTES, NoForm
from adapters.executors.functions.results import encode
from application.json.parsing import parse
from application.json.text import dump


class Colour(Enum):
    RED = ("r", 1)


class Level(IntEnum):
    LOW = 1


class Word(StrEnum):
    YES = "yes"


@dataclass
class Body:
    mass: float
    parts: list["Body"] = field(default_factory=list)


class Model(BaseModel):
    when: datetime
    array: list[float] = []


class Text(str):
    pass


Pair = namedtuple("Pair", "a b")

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(ANY_JSON)
def test_plain_json_is_encoded_unchanged(value: Any) -> None:
    text = encode(value)
    assert text == dump(value)
    assert parse(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ((1, (2, [])), "[1,[2,[]]]"),
        ({"b": 1, "a": -0.0}, '{"b":1,"a":-0.0}'),
        (10**4299, "1" + "0" * 4299),
        ("\0\u2028é\U0001f600", '"\\u0000\u2028é\U0001f600"'),
        (datetime(2026, 5, 1, 12, 30, 0, 5, tzinfo=UTC), '"2026-05-01T12:30:00.000005+00:00"'),
        (date(2026, 5, 1), '"2026-05-01"'),
        (time(12, 30), '"12:30:00"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Decimal("1.10"), '"1.10"'),
        ([Colour.RED, Level.LOW, Word.YES], '[["r",1],1,"yes"]'),
        (Body(1.5, [Body(2)]), '{"mass":1.5,"parts":[{"mass":2,"parts":[]}]}'),
        (Model(when=datetime(2026, 5, 1, tzinfo=UTC)), '{"when":"2026-05-01T00:00:00Z","array":[]}'),
        (Pair(1, 2), "[1,2]"),
        (OrderedDict(a=1), '{"a":1}'),
        (Counter("a"), '{"a":1}'),
        ({Text("a"): Text("b")}, '{"a":"b"}'),
        (np.array([[1, 2], [3, 4]]), "[[1,2],[3,4]]"),
        (np.array(5), "5"),
        ([np.float64(0.1), np.float32(0.5), np.int8(-1), np.bool_(True), np.str_("x")], '[0.1,0.5,-1,true,"x"]'),
        (np.array([np.longdouble(0.5)]), "[0.5]"),
        (np.array(["2026-05-01T12:00"], "datetime64[s]"), '["2026-05-01T12:00:00"]'),
        (np.array([None, {"a": np.int64(1)}], dtype=object), '[null,{"a":1}]'),
        ({"a": [np.arange(3.0)]}, '{"a":[[0.0,1.0,2.0]]}'),
    ],
)
def test_a_value_has_this_json_form(value: Any, text: str) -> None:
    assert encode(value) == text


@pytest.mark.parametrize(
    ("value", "text", "places"),
    [
        (float("nan"), "null", "$"),
        ({"a": [1.0, float("-inf")]}, '{"a":[1.0,null]}', "$.a.1"),
        (np.array([1.0, np.nan]), "[1.0,null]", "$.1"),
        (Decimal("NaN"), "null", "$"),
        (Body(float("inf")), '{"mass":null,"parts":[]}', "$.mass"),
    ],
)
def test_not_a_number_becomes_null_and_the_log_says_where(
    value: Any, text: str, places: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert encode(value) == text
    assert capsys.readouterr().err == f"null stands for NaN or infinity in the result at {places}\n"


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def in_itself() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"a": [{1}]}, "$.a.0 is a set"),
        ({"a": {"b": object()}}, "$.a.b is a object"),
        ([1, b"x"], "$.1 is a bytes"),
        (Body, "$ is a type"),
        ((x for x in ""), "$ is a generator"),
        (UUID, "$ is a type"),
        ({1: 2}, "$.1 has a key of type int: keys are strings"),
        ({"a": {None: 2}}, "$.a.<NoneType> has a key of type NoneType: keys are strings"),
        ({Word.YES: 2}, "has a key of type tests.unit.test_function_results.Word: keys are strings"),
        ({Level.LOW: 2}, "has a key of type tests.unit.test_function_results.Level: keys are strings"),
        ({(1, 2): 2}, "$.<tuple> has a key of type tuple: keys are strings"),
        (["\ud800"], "$.0 holds a lone surrogate, which is not a character"),
        ({"\udc00": 1}, "$.\\udc00 holds a lone surrogate, which is not a character"),
        ({"a": 10**4300}, "$.a is an integer of more than 4300 digits"),
        (1j, "$ is a complex"),
        (np.array([1j]), "$ is a numpy.ndarray of complex128"),
        (np.array([1], "timedelta64[s]"), "$ is a numpy.ndarray of timedelta64[s]"),
    ],
)
def test_a_member_without_a_json_form_is_named_by_its_path(value: Any, why: str) -> None:
    with pytest.raises(NoForm) as error:
        encode(value)
    assert why in str(error.value)


@pytest.mark.parametrize("value", [nested(201), in_itself(), {"a": in_itself()}, nested(100_000)])
def test_a_result_nested_too_deep_is_refused(value: Any) -> None:
    with pytest.raises(NoForm, match="is nested more than 200 deep, or contains itself"):
        encode(value)


def test_a_result_nested_200_deep_is_accepted() -> None:
    assert parse(encode(nested(200))) == nested(200)


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_result_of_16_mib_is_accepted_and_a_longer_one_refused(letter: str) -> None:
    length = (MAX_RESULT_BYTES - 2) // len(letter.encode())
    assert len(encode(letter * length).encode()) == MAX_RESULT_BYTES
    with pytest.raises(NoForm, match="is longer than 16,777,216 bytes as JSON"):
        encode([letter * length])


def test_a_result_that_grows_without_end_is_refused_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.executors.functions.json_form.MAX_RESULT_BYTES", 100_000)
    value: Any = "x"
    for _ in range(100):
        value = [value, value]
    with pytest.raises(NoForm, match="is longer than"):
        encode(value)


def test_plain_values_are_not_converted_one_by_one() -> None:
    import time

    value = {"a": [float(n) for n in range(300_000)], "b": [{"x": n} for n in range(1000)]}
    start = time.process_time()
    encode(value)
    encoded = time.process_time()
    json.dumps(value)
    assert encoded - start < 4 * (time.process_time() - encoded) + 0.05
