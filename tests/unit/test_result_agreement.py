"""The schema of results says what comes out: annotations and values of them, encoded and checked."""

import json
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, make_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag, StrEnum
from ipaddress import IPv4Address
from math import inf, nan
from pathlib import Path
from types import SimpleNamespace
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    NoReturn,
    NotRequired,
    Optional,
    TypedDict,
    Union,
    cast,
)
from uuid import UUID

import jsonschema_rs
import numpy as np
import numpy.typing as npt
import pytest
from annotated_types import Ge
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    RootModel,
    computed_field,
    create_model,
    field_serializer,
    model_serializer,
)
from typing_extensions import TypeAliasType

from adapters.executors.functions.describe import describe
from adapters.executors.functions.function import Function
from adapters.executors.functions.result_schema import result_schema
from adapters.executors.functions.results import encode
from adapters.json_schema import SchemaChecker
from application.json.parsing import parse
from application.json.text import dump
from domain.ids import TypeName
from domain.task_type import TaskType
from entrypoints.http.openapi.components import components
from entrypoints.http.openapi.unique_names import UniqueNames
from flask_tasks.json_form import NoForm

if TYPE_CHECKING:
    from somewhere import Missing  # type: ignore[import-not-found]


class Colour(Enum):
    RED = "red"
    PAIR = ("r", 1)


class Level(IntEnum):
    LOW = 1


class Word(StrEnum):
    YES = "yes"


class Rights(IntFlag):
    READ = 1
    WRITE = 2


@dataclass
class Tree:
    """A tree."""

    height: float
    parts: "list[Tree]" = field(default_factory=list)


class Kind(TypedDict):
    n: int
    note: NotRequired[str]


class Point(NamedTuple):
    x: int
    y: float = 0.0


class Inner(BaseModel):
    n: float = 0.5
    when: date | None = None


class Model(BaseModel):
    """A model."""

    model_config = ConfigDict(populate_by_name=True)
    a: int = Field(alias="b")
    price: Decimal = Decimal("NaN")
    length: timedelta = timedelta(1)
    data: bytes = b"x"
    names: set[str] = set()
    inner: Inner = Inner()
    hidden: int = Field(default=1, exclude=True)
    parts: "list[Model]" = []

    @computed_field
    def twice(self) -> int:
        return self.a * 2


class Serialized(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_timedelta="float", ser_json_inf_nan="strings")
    length: timedelta = timedelta(1)
    text: int = 1
    rights: Rights = Rights.READ
    number: float = nan

    @field_serializer("text")
    def words(self, value: int):
        return [str(value)]


class Derived(Serialized):
    more: int = 1


class Whole(BaseModel):
    @model_serializer
    def items(self):
        return [1]


class Root(RootModel[list[Serialized]]):
    pass


class NotResolved:
    """Annotations that name what is not there."""

    member: "Missing"


@dataclass
class HalfResolved:
    a: int
    b: "Missing"


Metres = NewType("Metres", float)
Json = TypeAliasType("Json", "dict[str, Json] | list[Json] | str | None")
Values = TypeAliasType("Values", list[float])


def schema_of(annotation: Any) -> Any:
    def function(): ...

    function.__annotations__ = {"return": annotation}
    text = result_schema(function)
    return text and json.loads(text)


NUMBER = {"type": ["number", "null"]}
TREE = {
    "description": "A tree.",
    "type": "object",
    "properties": {"height": NUMBER, "parts": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
    "required": ["height", "parts"],
}


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (None, {"type": "null"}),
        (int, {"type": "integer"}),
        (float, NUMBER),
        (int | float, {"type": ["integer", "number", "null"]}),
        (FiniteFloat, {"type": "number"}),
        (Annotated[float, Field(gt=0, allow_inf_nan=False)], {"type": "number"}),
        (Annotated[float, Ge(0)], NUMBER),
        (Metres, NUMBER),
        (Values, {"type": "array", "items": NUMBER}),
        (Decimal | None, {"type": ["string", "null"], "format": "decimal"}),
        (datetime | None, {"type": ["string", "null"], "format": "date-time"}),
        (dict, {"type": "object"}),
        (dict[str, Any], {"type": "object"}),
        (Mapping[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Counter[str], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (list, {"type": "array"}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (
            tuple[int, str],
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
        ),
        (Colour, {"enum": ["red", ["r", 1]]}),
        (Rights, {"type": "integer"}),
        (Literal["a", 1, None, Level.LOW], {"enum": ["a", 1, None, 1]}),
        (Path, {"type": "string"}),
        (np.ndarray, {"type": "array", "items": {"type": ["number", "null", "array"]}}),
        (npt.NDArray[np.floating], {"type": "array", "items": {"type": ["number", "null", "array"]}}),
        (npt.NDArray[np.int8], {"type": "array", "items": {"type": ["integer", "array"]}}),
        (npt.NDArray[np.bool_], {"type": "array", "items": {"type": ["boolean", "array"]}}),
        (
            np.ndarray[tuple[int, int], np.dtype[np.float64]],
            {"type": "array", "items": {"type": "array", "items": NUMBER}},
        ),
        (np.float32, NUMBER),
        (np.int64, {"type": "integer"}),
        (Tree, {"$ref": "#/$defs/Tree", "$defs": {"Tree": TREE}}),
        (Tree | None, {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}], "$defs": {"Tree": TREE}}),
        (
            list[Kind],
            {
                "type": "array",
                "items": {"$ref": "#/$defs/Kind"},
                "$defs": {
                    "Kind": {
                        "type": "object",
                        "properties": {"n": {"type": "integer"}, "note": {"type": "string"}},
                        "required": ["n"],
                    }
                },
            },
        ),
        (
            HalfResolved,
            {
                "$ref": "#/$defs/HalfResolved",
                "$defs": {"HalfResolved": {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a", "b"]}},
            },
        ),
    ],
)
def test_an_annotation_has_a_schema_of_what_comes_out(annotation: Any, schema: Any) -> None:
    assert schema_of(annotation) == schema


@pytest.mark.parametrize(
    "annotation",
    [
        *(Any, object, NoReturn, bytes, set[int], frozenset, complex, np.complex128, np.generic),
        *("Missing", "not even Python", "1/0", Callable[[int], int], type, Tree | bytes, NotResolved, 7),
    ],
)
def test_an_annotation_that_says_nothing_of_the_json_has_no_schema(annotation: Any) -> None:
    assert schema_of(annotation) is None


def test_a_function_whose_annotation_cannot_be_read_is_a_type_all_the_same() -> None:
    def function(a: int) -> "Missing": ...

    type = describe(Function(TypeName("f"), function))
    assert type.result_schema is None
    assert json.loads(type.schema)["required"] == ["a"]


def test_a_docstring_that_cannot_be_stored_leaves_the_result_undescribed() -> None:
    odd = make_dataclass("odd", [("n", int)])
    odd.__doc__ = "A lone surrogate: \ud800."
    assert schema_of(odd) is None


def test_two_classes_of_one_name_have_two_definitions() -> None:
    one, other = make_dataclass("Data", [("a", int)]), make_dataclass("Data", [("b", int)])
    assert schema_of(tuple[one, other])["$defs"].keys() == {"Data", "Data2"}  # type: ignore[valid-type]


def test_an_alias_that_contains_itself_allows_anything_there() -> None:
    alias = SimpleNamespace()  # as `type Nested = list[Nested]` makes one
    alias.__value__ = list[alias]  # type: ignore[valid-type]
    assert schema_of(dict[str, alias]) == {"type": "object", "additionalProperties": {"type": "array"}}  # type: ignore[valid-type]


class Returned(NamedTuple):
    """An annotation, and values of it."""

    annotation: Any
    values: st.SearchStrategy[Any]


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Model, Model(b=1, length=timedelta(days=365))),
        (Inner, Inner(n=nan)),
        (Serialized, Serialized(rights=Rights.READ | Rights.WRITE)),
        (Serialized, Derived()),
        (Root, Root([Serialized()])),
        (dict[str, Root], {"a": Root([Serialized()])}),
        (Inner | Whole, Whole()),
    ],
)
def test_a_model_comes_out_as_its_schema_says(annotation: Any, value: Any) -> None:
    assert not SchemaChecker().errors(json.dumps(schema_of(annotation)), parse(encode(value)))


def test_a_model_has_all_its_members_but_those_that_it_excludes() -> None:
    model = schema_of(Model)["$defs"]["Model"]["$defs"]["Model"]
    assert model["required"] == ["b", "price", "length", "data", "names", "inner", "parts", "twice"]
    assert "hidden" not in model["properties"]
    assert model["properties"]["names"] == {"type": "array", "items": {"type": "string"}, "uniqueItems": True}


FLOATS = st.floats() | st.sampled_from([nan, inf, -inf, 0.5, 1e308])
FINITE = st.decimals(allow_nan=False, allow_infinity=False)
SCALARS = [
    Returned(None, st.none()),
    Returned(bool, st.booleans()),
    Returned(int, st.integers()),
    Returned(float, FLOATS),
    Returned(FiniteFloat, st.floats(allow_nan=False, allow_infinity=False)),
    Returned(str, st.text(max_size=3)),
    Returned(Decimal, st.decimals()),
    Returned(datetime, st.datetimes(timezones=st.none() | st.timezones())),
    Returned(date, st.dates()),
    Returned(time, st.times()),
    Returned(timedelta, st.timedeltas()),
    Returned(UUID, st.uuids()),
    Returned(Path, st.just(Path("a/b"))),
    Returned(IPv4Address, st.just(IPv4Address("127.0.0.1"))),
    *(Returned(each, st.sampled_from(each)) for each in (Colour, Level, Word)),
    Returned(Rights, st.sampled_from([Rights.READ, Rights.READ | Rights.WRITE, Rights(0)])),
    Returned(Literal["a", 1, True, None], st.sampled_from(["a", 1, True, None])),
    Returned(Any, st.none() | st.integers() | st.lists(st.text(max_size=1), max_size=1)),
    Returned(Metres, FLOATS),
    Returned(Json, st.just({"a": [None, "b"]})),
    Returned(np.float32, st.sampled_from([np.float32(0.5), np.float32(nan)])),
    Returned(np.int8, st.just(np.int8(-1))),
    Returned(np.bool_, st.just(np.bool_(True))),
    Returned(np.datetime64, st.sampled_from([np.datetime64("NaT"), np.datetime64("2026")])),
    Returned(np.timedelta64, st.sampled_from([np.timedelta64("NaT"), np.timedelta64(90, "s")])),
    Returned(np.str_, st.just(np.str_("x"))),
    Returned(np.ndarray, st.sampled_from([np.zeros((2, 0)), np.array([1.0, nan]), np.arange(8).reshape(2, 2, 2)])),
    Returned(npt.NDArray[np.float64], st.sampled_from([np.eye(2), np.array([-inf])])),
    Returned(npt.NDArray[np.uint8], st.just(np.ones((1, 2), np.uint8))),
    Returned(npt.NDArray[np.datetime64], st.just(np.array(["2026-01-01", "NaT"], "datetime64[D]"))),
    Returned(npt.NDArray[np.object_], st.just(np.array([None, {"a": 1}], object))),
    Returned(np.ndarray[tuple[int, int], np.dtype[np.float64]], st.just(np.full((2, 1), nan))),
    Returned(Tree, st.builds(Tree, FLOATS, st.lists(st.builds(Tree, FLOATS), max_size=2))),
    Returned(Kind, st.fixed_dictionaries({"n": st.integers()}, optional={"note": st.text(max_size=1)})),
    Returned(Point, st.builds(Point, st.integers(), FLOATS)),
    Returned(Inner, st.builds(Inner, n=FLOATS)),
    Returned(Model, st.builds(Model, a=st.integers(), price=FINITE, parts=st.just([Model(b=1)]))),
]
KEYS = st.sampled_from(["a", "b", 1, 0.5, None, date(2026, 1, 1), Level.LOW])


def list_of(inner: Returned) -> st.SearchStrategy[Returned]:
    item, values = inner.annotation, st.lists(inner.values, max_size=3)
    kinds: list[tuple[Any, Any]] = [(list, list), (Sequence, tuple), (deque, deque)]
    plain = st.sampled_from(kinds).map(lambda each: Returned(each[0][item], values.map(each[1])))
    return plain | st.just(Returned(cast(Any, tuple)[item, ...], values.map(tuple)))


def dict_of(inner: Returned) -> st.SearchStrategy[Returned]:
    values = st.dictionaries(KEYS, inner.values, max_size=2)
    kinds: list[Any] = [dict, Mapping, OrderedDict, defaultdict]
    return st.sampled_from(kinds).map(lambda each: Returned(each[Any, inner.annotation], values))


def members_of(one: Returned, other: Returned) -> st.SearchStrategy[Returned]:
    a, b = one.annotation, other.annotation
    data = make_dataclass("Data", [("a", a), ("type", b)])
    derived = make_dataclass("Derived", [("more", int, 1)], bases=(data,))
    pair: Any = cast(Any, NamedTuple)("pair", [("a", a), ("b", b)])
    typed_dict: Any = cast(Any, TypedDict)("typed_dict", {"a": a, "b": cast(Any, NotRequired)[b]})
    kinds = [
        Returned(data, st.builds(data, one.values, other.values) | st.builds(derived, one.values, other.values)),
        Returned(pair, st.builds(pair, one.values, other.values)),
        Returned(tuple[a, b], st.tuples(one.values, other.values)),  # type: ignore[valid-type]
        Returned(typed_dict, st.fixed_dictionaries({"a": one.values}, optional={"b": other.values})),
    ]
    with suppress(Exception):  # of an array
        model: Any = create_model("data", a=(a, ...), b=(b, ...))
        kinds.append(Returned(model, st.builds(model.model_construct, a=one.values, b=other.values)))
    return st.sampled_from(kinds)


def extended(inner: st.SearchStrategy[Returned]) -> st.SearchStrategy[Returned]:
    return st.one_of(
        inner.flatmap(list_of),
        inner.flatmap(dict_of),
        inner.map(lambda each: Returned(Optional[each.annotation], each.values | st.none())),  # noqa: UP045
        st.tuples(inner, inner).map(
            lambda pair: Returned(Union[pair[0].annotation, pair[1].annotation], pair[0].values | pair[1].values)  # noqa: UP007
        ),
        st.tuples(inner, inner).flatmap(lambda pair: members_of(*pair)),
    )


RETURNED = st.recursive(st.sampled_from(SCALARS), extended, max_leaves=6)
CASES = RETURNED.flatmap(lambda each: st.tuples(st.just(each.annotation), each.values))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(CASES)
def test_what_comes_out_fits_the_schema_of_its_annotation_and_that_of_the_document(case: tuple[Any, Any]) -> None:
    annotation, value = case
    schema = schema_of(annotation)
    try:
        text = encode(value)
    except (NoForm, ValueError, UserWarning):  # a key that stands twice, or a value that pydantic has no form for
        reject()
    if schema is not None:
        assert not SchemaChecker().errors(dump(schema), parse(text)), (schema, text)
        assert documented(schema).is_valid(parse(text)), (schema, text)


def documented(schema: Any) -> Any:
    """The validator of a result by the OpenAPI document."""
    found = components(TaskType(name=TypeName("f"), result_schema=dump(schema)), UniqueNames())
    _, task = found.by_name[found.task]["allOf"]
    return jsonschema_rs.validator_for(task["properties"]["result"] | {"components": {"schemas": found.by_name}})
