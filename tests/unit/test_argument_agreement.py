"""The API takes a value exactly if the function does: generated annotations and values, checked by both."""

import json
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import make_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Network
from math import inf
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, Optional, Union, cast
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pytest
import typing_extensions as extensions
from annotated_types import Ge, Gt, Le, Len, Lt, MultipleOf
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pydantic import (
    UUID4,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    NaiveDatetime,
    PydanticUserError,
    StringConstraints,
    create_model,
)

from adapters.executors.functions.annotations import NoSchema
from adapters.executors.functions.arguments import NamedArguments
from adapters.executors.functions.checker import InvalidArguments
from adapters.json_schema import SchemaChecker
from application.json.text import dump
from flask_tasks import Progress


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Word(StrEnum):
    YES = "yes"


class Odd(Enum):
    PAIR = ("r", 1)
    HALF = 0.5
    WHOLE = 2.0
    TRUE = True
    NONE = None
    DAY = date(2026, 1, 1)


class Point(NamedTuple):
    x: int
    y: float = 0.0


class Strict(BaseModel):
    n: int
    when: date | None = None


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    a: int = Field(alias="b")


REFUSED = object()
LAST_SECOND = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)


def function_of(annotation: Any) -> NamedArguments:
    def function(x): ...

    function.__annotations__ = {"x": annotation}
    return NamedArguments(function)


def asked(annotation: Any, value: Any) -> tuple[bool, Any]:
    """Whether the API takes the value, and the value that the function receives; REFUSED if it takes none."""
    arguments, sent = function_of(annotation), {"x": value}
    is_taken = not SchemaChecker().errors(dump(arguments.schema()), sent)
    try:
        _, bound = arguments.bind(dump(sent), Progress())
    except InvalidArguments:
        return is_taken, REFUSED
    return is_taken, bound["x"]


@pytest.mark.parametrize(
    ("annotation", "value", "received"),
    [
        (datetime, "2026-01-01", datetime.fromisoformat("2026-01-01T00:00:00")),
        (datetime, "2026-01-01T10", datetime.fromisoformat("2026-01-01T10:00:00")),
        (datetime, "2026-01-01T10:00:00z", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        (datetime, "2026-01-01t10:00:00.123456789+02:00", datetime.fromisoformat("2026-01-01T10:00:00.123456+02:00")),
        (datetime, "20260101T100000", datetime.fromisoformat("2026-01-01T10:00:00")),
        (datetime, "2026-13-01", REFUSED),
        (datetime, "1767225600", REFUSED),
        (datetime, 1767225600, REFUSED),
        (date, "20260101", date(2026, 1, 1)),
        (date, "2026-01-01", date(2026, 1, 1)),
        (date, "2026-01-01T00:00:00", REFUSED),
        (date, "2026-02-29", REFUSED),
        (time, "10", time(10)),
        (time, "10:00:00z", time(10, tzinfo=UTC)),
        (time, "24:30", REFUSED),
        (timedelta, "PT1.5S", timedelta(seconds=1.5)),
        (timedelta, "-P1W2DT3H4M5S", -timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)),
        (timedelta, "P1D", timedelta(days=1)),
        (timedelta, "P1M", REFUSED),
        (timedelta, "P", REFUSED),
        (timedelta, "PT", REFUSED),
        (timedelta, "P999999999999D", REFUSED),
        (timedelta, "1:30:00", REFUSED),
        (timedelta, 90, REFUSED),
        (UUID, str(UUID(int=5)), UUID(int=5)),
        (UUID, UUID(int=5).hex.upper(), UUID(int=5)),
        (UUID, UUID(int=5).urn, UUID(int=5)),
        (UUID, f"{{{UUID(int=5)}}}", UUID(int=5)),
        (UUID, f"{{{UUID(int=5)}", REFUSED),
        (UUID, "0_0" + "0" * 29, REFUSED),
        (UUID4, str(UUID(int=5)), REFUSED),
        (Decimal, "1.10", Decimal("1.10")),
        (Decimal, "1e5", Decimal("1e5")),
        (Decimal, 1.1, Decimal("1.1")),
        (Decimal, 10**30, Decimal(10**30)),
        (Decimal, "NaN", REFUSED),
        (Decimal, "1_0", REFUSED),
        (Decimal, True, REFUSED),
        (Annotated[Decimal, Gt(0)], "-5", REFUSED),
        (Annotated[Decimal, Gt(0)], -5, REFUSED),
        (Annotated[Decimal, Gt(0)], "5", Decimal(5)),
        (Annotated[Decimal, Field(max_digits=4, decimal_places=2)], "12.340", Decimal("12.340")),
        (Annotated[Decimal, Field(max_digits=4, decimal_places=2)], 12.345, REFUSED),
        (Annotated[Decimal, Field(max_digits=4, decimal_places=2)], "1e4", REFUSED),
        (Annotated[Decimal, MultipleOf(Decimal("0.05"))], "1.15", Decimal("1.15")),
        (Annotated[Decimal, MultipleOf(Decimal("0.05"))], "1.16", REFUSED),
        (Annotated[Decimal, MultipleOf(Decimal("0.05"))], "1e999999999", REFUSED),
        (Annotated[date, Ge(date(2026, 1, 1))], "2025-12-31", REFUSED),
        (Annotated[date, Ge(date(2026, 1, 1))], "20260101", date(2026, 1, 1)),
        (Annotated[datetime, Lt(datetime(2026, 1, 1, tzinfo=UTC))], "2025-12-31T23:59:59z", LAST_SECOND),
        (Annotated[datetime, Lt(datetime(2026, 1, 1, tzinfo=UTC))], "2026-01-01T00:00:00z", REFUSED),
        (Annotated[datetime, Lt(datetime(2026, 1, 1, tzinfo=UTC))], "2025-12-31", REFUSED),
        (AwareDatetime, "2025-12-31T23:59:59z", LAST_SECOND),
        (AwareDatetime, "2025-12-31T23:59:59", REFUSED),
        (NaiveDatetime, "2025-12-31T23:59:59z", REFUSED),
        (Annotated[timedelta, Le(timedelta(hours=1))], "PT61M", REFUSED),
        (Annotated[time, Gt(time(12))], "12:00:01", time(12, 0, 1)),
        (bytes, "é", "é".encode()),
        (Annotated[bytes, Len(0, 1)], "é", "é".encode()),
        (dict[int, float], {"1": 0.5, "-2": 1}, {1: 0.5, -2: 1.0}),
        (dict[int, float], {"01": 0.5}, REFUSED),
        (dict[int, float], {"1.0": 0.5}, REFUSED),
        (dict[float, int], {"0.5": 1, "1e3": 2}, {0.5: 1, 1000.0: 2}),
        (dict[float, int], {"nan": 1}, REFUSED),
        (dict[bool, int], {"true": 1, "false": 2}, {True: 1, False: 2}),
        (dict[bool, int], {"True": 1}, REFUSED),
        (dict[date, int], {"2026-01-01": 1}, {date(2026, 1, 1): 1}),
        (dict[date, int], {"today": 1}, REFUSED),
        (dict[Decimal, int], {"1.10": 1}, {Decimal("1.10"): 1}),
        (dict[UUID, int], {str(UUID(int=5)): 1}, {UUID(int=5): 1}),
        (dict[Colour, int], {"red": 1}, {Colour.RED: 1}),
        (dict[Level, int], {"1": 1}, {Level.LOW: 1}),
        (dict[Level, int], {"3": 1}, REFUSED),
        (dict[Literal[1, "a"], int], {"1": 1, "a": 2}, {1: 1, "a": 2}),
        (dict[int | None, int], {"1": 1, "null": 2}, {1: 1, None: 2}),
        (dict[tuple[int, int], int], {"1": 1}, REFUSED),
        (dict[Annotated[str, StringConstraints(pattern="^a")], int], {"b": 1}, REFUSED),
        (Mapping[int, Level], {"1": 1}, {1: Level.LOW}),
        (defaultdict[int, list[int]], {"1": [1]}, defaultdict(list, {1: [1]})),
        (OrderedDict[int, int], {"1": 1}, OrderedDict({1: 1})),
        (Counter[int], {"1": 1}, Counter({1: 1})),
        (set[int], [1, 1, 2.0], {1, 2}),
        (Annotated[set[int], Len(2, 2)], [1, 1], {1}),
        (set, [1, "a", None, 1.0], {1, "a", None}),
        (set[Any], [[1]], REFUSED),
        (Fraction, "1/2", Fraction(1, 2)),
        (Fraction, "1/0", REFUSED),
        (Fraction, 0.5, Fraction(1, 2)),
        (IPvAnyAddress, "1.2.3", REFUSED),
        (Aliased, {"b": 1}, Aliased(b=1)),
        (Aliased, {"a": 1}, REFUSED),
        (frozenset[date], ["2026-01-01"], frozenset({date(2026, 1, 1)})),
        (deque[int], [1, 2.0], deque([1, 2])),
        (Sequence[date], ["2026-01-01"], [date(2026, 1, 1)]),
        (Iterable[int], ["x"], REFUSED),
        (Level, 1.0, Level.LOW),
        (Level, True, REFUSED),
        (Odd, ["r", 1.0], Odd.PAIR),
        (Odd, 2, Odd.WHOLE),
        (Odd, True, Odd.TRUE),
        (Odd, 1, REFUSED),
        (Odd, None, Odd.NONE),
        (Odd, "2026-01-01", Odd.DAY),
        (Literal[1], 1.0, 1),
        (Literal[1], True, REFUSED),
        (Literal[True], 1, REFUSED),
        (Literal[Colour.RED], "red", Colour.RED),
        (Strict, {"n": 1.0, "when": "20260101"}, Strict(n=1, when=date(2026, 1, 1))),
        (Point, [1.0, 2], Point(1, 2.0)),
        (Point, [1], Point(1)),
        (Point, {"x": 1}, REFUSED),
        (float, 10**309, inf),
        (Annotated[int, MultipleOf(5)], 1e23, 10**23),
        (int | float, 1.0, 1.0),
        (float | list[int], [1.0], [1]),
        (date | str, "2026-01-01", date(2026, 1, 1)),
        (date | str, "today", "today"),
        (Colour | str, "red", Colour.RED),
        (IPv4Address, "127.0.0.1", IPv4Address("127.0.0.1")),
        (IPv6Network, "::/128", IPv6Network("::/128")),
        (Annotated[str, StringConstraints(pattern=r"^\d$")], "٣", REFUSED),
        (Annotated[float, MultipleOf(0.1)], 0.3, 0.3),
    ],
)
def test_both_sides_read_a_value_by_one_rule(annotation: Any, value: Any, received: Any) -> None:
    is_taken, found = asked(annotation, value)
    assert is_taken == (received is not REFUSED)
    assert (found, type(found)) == (received, type(received))


class Kind(NamedTuple):
    """An annotation, and values most of which fit it."""

    annotation: Any
    values: st.SearchStrategy[Any]


TEXTS = [
    *(
        "",
        "a",
        "red",
        "blue",
        "yes",
        "ab",
        "aab",
        "é",
        "٣",
        " ",
        "null",
        "true",
        "false",
        "None",
        "5",
        "05",
        "-0",
        "1.0",
    ),
    *("1e3", "1e999", "-5", "+5", "0.5", ".5", "5.", "NaN", "inf", "1_0", "0x1", "２"),
    *("2026-01-01", "20260101", "2026-1-1", "2026-02-30", "2026-W01-1", "2026-001", "0000-01-01", "2026-01-01 "),
    *("2026-01-01T10", "2026-01-01T10:00", "2026-01-01T10:00:00z", "2026-01-01 10:00:00+02:00", "2026-01-01T10:00Z"),
    *("2026-01-01T10:00:00,5", "2026-01-01T24:00", "2026-01-01T10:00:60", "2026-01-01T10:00+25:00", "T10:00"),
    *("10", "10:00", "10:00:00.1234567", "10:00z", "1000", "10:0", "25:00"),
    *("PT1.5S", "PT1,5S", "P1D", "P1W", "P1Y", "P1M", "P1DT", "PT", "P", "-PT5M", "pt5m", "PT0.5H", "1:00:00", "P1D1H"),
    *("P99999999999999999999D", "P1D\n", "5 ", " 5", "5\n"),
    *(
        str(UUID(int=7)),
        UUID(int=7).hex,
        UUID(int=7).urn,
        f"{{{UUID(int=7)}}}",
        str(UUID(int=7, version=4)),
        "7" * 31,
    ),
    *("1/2", "1/0", "-3/4", "1/", "127.0.0.1", "127.0.0.01", "1.2.3", "::1", "::/128", "fe80::1%eth0"),
]
HUGE = 10**309
NUMBERS = [0, 1, 2, 5, -1, 10**20, HUGE, -HUGE, 1.0, 2.0, -0.0, 0.5, 0.3, 1e22, 1e308, 5e-324, 255, 256, True, False]
SCALARS = st.sampled_from([*TEXTS, *NUMBERS, None])
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TEXTS), inner, max_size=3)
)
PATTERNS = [r"^a+b?$", r"\d", r"^\w+$", r"\s", r"\bb", r"^[\d_]$", r"^[^\W]+$", r"^.$", r"^\S+$", r"\D"]
LEAVES = [
    *(int, float, str, bool, None, Any, date, datetime, time, timedelta, UUID, UUID4, Decimal, bytes),
    *(set, frozenset[Any], Fraction, Aliased),
    *(Colour, Level, Word, Odd, IPv4Address, IPv6Network, Strict, Point),
    *(np.ndarray, npt.NDArray[np.int8], npt.NDArray[np.float64], npt.NDArray[np.bool_]),
    *(Literal["a", "red"], Literal[1, 2], Literal[True], Literal[0.5, None], Literal[Level.LOW, "5"], Literal[b"x"]),
    *(Annotated[int, Ge(0), Le(5)], Annotated[float, Gt(0), Lt(1)], Annotated[int, MultipleOf(5)]),
    *(
        Annotated[float, MultipleOf(0.1)],
        Annotated[float, Ge(1e20)],
        Annotated[int, Lt(10**20)],
        Annotated[int, Field(gt=0)],
    ),
    *(Annotated[Decimal, Gt(0)], Annotated[Decimal, Field(max_digits=2, decimal_places=1)]),
    *(Annotated[Decimal, MultipleOf(Decimal("0.1"))], Annotated[date, Ge(date(2026, 1, 1))], AwareDatetime),
    *(Annotated[datetime, Lt(datetime(2026, 1, 1, tzinfo=UTC))], Annotated[timedelta, Le(timedelta(hours=1))]),
    *(Annotated[str, Len(1, 2)], Annotated[bytes, Len(1, 2)], Annotated[float, Field(allow_inf_nan=False)]),
    *(Annotated[str, StringConstraints(pattern=each)] for each in PATTERNS),
]
KEYS = [
    *(str, int, float, bool, Any, date, datetime, time, timedelta, UUID, Decimal, Colour, Level, Word, bytes, Odd),
    *(
        Literal[1, "a"],
        Literal[True],
        int | str,
        int | None,
        date | int,
        Annotated[str, StringConstraints(pattern="^a")],
    ),
    *(Annotated[str, Len(1, 2)], tuple[int, int], IPv4Address),
]
ITEMS = [int, str, float, date, bool, Colour, Level, Decimal, UUID, None, Literal[1, "a"], tuple[int, ...], Any]


def leaf(annotation: Any) -> Kind:
    return Kind(annotation, SCALARS | ANY)


def of_list(inner: Kind) -> st.SearchStrategy[Kind]:
    kinds: list[Any] = [list, cast(Any, tuple)[inner.annotation, ...], Sequence, deque, Iterable]
    values = st.lists(inner.values, max_size=3)
    plain = st.sampled_from(kinds).map(lambda each: Kind(each if each is kinds[1] else each[inner.annotation], values))
    return plain | st.just(Kind(Annotated[list[inner.annotation], Len(1, 2)], values))  # type: ignore[name-defined]


def of_set(item: Any) -> st.SearchStrategy[Kind]:
    values = st.lists(SCALARS, max_size=3)
    return st.sampled_from([set[item], frozenset[item], Annotated[set[item], Len(2, 2)]]).map(
        lambda each: Kind(each, values)
    )


def of_dict(key: Any, inner: Kind) -> st.SearchStrategy[Kind]:
    values = st.dictionaries(st.sampled_from(TEXTS), inner.values, max_size=2)
    kinds: list[Any] = [dict, Mapping, OrderedDict, defaultdict]
    return st.sampled_from(kinds).map(lambda each: Kind(each[key, inner.annotation], values))


def models(a: Any, b: Any, names: st.SearchStrategy[Any]) -> list[Kind]:
    with suppress(PydanticUserError):  # of an array
        return [Kind(create_model("Model", a=(a, ...), type=(b, None)), names)]
    return []


def of_members(one: Kind, other: Kind) -> st.SearchStrategy[Kind]:
    a, b = one.annotation, other.annotation
    typed_dict: Any = extensions.TypedDict
    names = st.fixed_dictionaries({}, optional={"a": one.values, "type": other.values, "default": other.values})
    items = st.lists(one.values | other.values, max_size=3)
    return st.sampled_from(
        [
            Kind(make_dataclass("Data", [("a", a), ("type", b), ("default", b, None)]), names),
            *models(a, b, names),
            Kind(typed_dict("Sent", {"a": a, "type": NotRequired[b]}), names),
            Kind(typed_dict("Closed", {"a": a, "type": b}, closed=True), names),
            Kind(NamedTuple("Pair", [("a", a), ("b", b)]), items),
            Kind(tuple[a, b], items),  # type: ignore[valid-type]
        ]
    )


def extended(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    return st.one_of(
        inner.flatmap(of_list),
        inner.map(lambda each: Kind(Optional[each.annotation], each.values | st.none())),  # noqa: UP045
        st.tuples(inner, inner).map(
            lambda pair: Kind(Union[pair[0].annotation, pair[1].annotation], pair[0].values | pair[1].values)  # noqa: UP007
        ),
        st.tuples(st.sampled_from(KEYS), inner).flatmap(lambda pair: of_dict(*pair)),
        st.sampled_from(ITEMS).flatmap(of_set),
        st.tuples(inner, inner).flatmap(lambda pair: of_members(*pair)),
    )


KINDS = st.recursive(st.sampled_from([*map(leaf, LEAVES)]), extended, max_leaves=6)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(KINDS.flatmap(lambda kind: st.tuples(st.just(kind.annotation), kind.values | ANY)))
def test_the_api_takes_a_value_exactly_if_the_function_does(case: tuple[Any, Any]) -> None:
    annotation, value = case
    try:
        is_taken, found = asked(annotation, value)
    except NoSchema:  # as of an array in a dataclass
        reject()
    assert is_taken == (found is not REFUSED), (dump(function_of(annotation).schema()), json.dumps(value))
