"""Results of functions as JSON text, and the errors of those without a JSON form."""

import json
import sys
from collections import Counter, OrderedDict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from ipaddress import IPv4Address
from pathlib import PurePath
from types import MappingProxyType, ModuleType
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from adapters.executors.functions.results import MAX_RESULT_BYTES, encode
from application.json import limits
from application.json.parsing import parse
from application.json.text import dump
from flask_tasks import json_form
from flask_tasks.json_form import NoForm


class Colour(Enum):
    RED = ("r", 1)


class Sign(Enum):
    PLUS = "+"


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


class NaT(datetime):
    """Like pandas.NaT."""

    def __new__(cls) -> "NaT":
        return super().__new__(cls, 1, 1, 1)

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = datetime.__hash__

    def isoformat(self, *_: Any) -> str:
        return "NaT"


class NA:
    """Like pandas.NA, which cannot be compared."""

    def __eq__(self, other: object) -> Any:
        return self

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")


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
        (np.array([1500], "timedelta64[ms]"), '["PT1.5S"]'),
        (np.timedelta64(-90, "m"), '"-PT1H30M"'),
        (np.datetime64("2026-05-01"), '"2026-05-01"'),
        (timedelta(1, 3723, 4), '"P1DT1H2M3.000004S"'),
        (timedelta(2), '"P2D"'),
        (timedelta(), '"PT0S"'),
        (timedelta(microseconds=-1), '"-PT0.000001S"'),
        (PurePath("a/b"), '"a/b"'),
        (IPv4Address("127.0.0.1"), '"127.0.0.1"'),
        (deque([1, UUID(int=1)]), '[1,"00000000-0000-0000-0000-000000000001"]'),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        ({"x": {0: 1.5, 1: 2.5}}, '{"x":{"0":1.5,"1":2.5}}'),
        (Counter([1.5, 1.5, True]), '{"1.5":2,"true":1}'),
        ({None: 1, np.int64(3): 2, Level.LOW: 3, Word.YES: 4}, '{"null":1,"3":2,"1":3,"yes":4}'),
        ({date(2026, 5, 1): 1, UUID(int=1): 2}, '{"2026-05-01":1,"00000000-0000-0000-0000-000000000001":2}'),
        ({Decimal("1.10"): 1, np.float32(0.5): 2, np.str_("x"): 3}, '{"1.10":1,"0.5":2,"x":3}'),
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
        (Decimal("-Infinity"), "null", "$"),
        (np.float32("nan"), "null", "$"),
        (np.array(["2026-05-01", "NaT"], "datetime64[D]"), '["2026-05-01",null]', "$.1"),
        (np.array([[1], ["NaT"]], "timedelta64[s]"), '[["PT1S"],[null]]', "$.1.0"),
        (np.datetime64("NaT"), "null", "$"),
        (np.array([None, np.nan], dtype=object), "[null,null]", "$.1"),
        ({"a": NaT()}, '{"a":null}', "$.a"),
        ({float("nan"): 1}, '{"null":1}', "$.<float>"),
    ],
)
def test_not_a_number_becomes_null_and_the_log_says_where(
    value: Any, text: str, places: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert encode(value) == text
    said = f"null stands for NaN, infinity or another missing value in the result at {places}\n"
    assert capsys.readouterr().err == said


def test_the_missing_value_of_pandas_becomes_null(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = ModuleType("pandas")
    pandas.NA = NA()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    assert encode({"a": [pandas.NA, 1]}) == '{"a":[null,1]}'


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
        ([1, b"x"], "$.1 is a bytes: JSON has no bytes, but base64 or a data URL"),
        (Body, "$ is a type"),
        ((x for x in ""), "$ is a generator"),
        (UUID, "$ is a type"),
        ({"a": {(1, 2): 2}}, "$.a.<tuple> has a key of type tuple, which has no text"),
        ({1: 2, "1": 3}, "$.1 stands for two keys"),
        ({True: 2, "true": 3}, "$.true stands for two keys"),
        ({None: 2, float("nan"): 3}, "$.null stands for two keys"),
        ({Sign.PLUS: 2, "+": 3}, "$.+ stands for two keys"),
        ({date(2026, 5, 1): 2, "2026-05-01": 3}, "$.2026-05-01 stands for two keys"),
        ([bytearray(b"x")], "$.0 is a bytearray: JSON has no bytes, but base64 or a data URL"),
        (np.array([b"x"]), "$.0 is a bytes: JSON has no bytes, but base64 or a data URL"),
        (["\ud800"], "$.0 holds a lone surrogate, which is not a character"),
        ({"\udc00": 1}, "$.\\udc00 holds a lone surrogate, which is not a character"),
        ({"a": 10**4300}, "$.a is an integer of more than 4300 digits"),
        (1j, "$ is a complex"),
        (np.array([1j]), "$ is a numpy.ndarray of complex128"),
        (np.array([1], "timedelta64[Y]"), "$ is a numpy.ndarray of timedelta64[Y]"),
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


def test_the_limits_are_those_of_the_service() -> None:
    assert (json_form.MAX_DEPTH, json_form.MAX_INTEGER_DIGITS) == (limits.MAX_DEPTH, limits.MAX_INTEGER_DIGITS)


def test_a_result_nested_200_deep_is_accepted() -> None:
    assert parse(encode(nested(200))) == nested(200)


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_result_of_16_mib_is_accepted_and_a_longer_one_refused(letter: str) -> None:
    length = (MAX_RESULT_BYTES - 2) // len(letter.encode())
    assert len(encode(letter * length).encode()) == MAX_RESULT_BYTES
    with pytest.raises(NoForm, match="is longer than 16,777,216 bytes as JSON"):
        encode([letter * length])


def test_a_result_that_grows_without_end_is_refused_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flask_tasks.json_form.MAX_MEMBERS", 100_000)
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
