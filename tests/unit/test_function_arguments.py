"""The arguments of a function: their schema, their conversion and their refusal."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from operator import itemgetter
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from uuid import UUID

import jsonschema_rs
import numpy as np
import numpy.typing as npt
import pytest
import typing_extensions as extensions
from annotated_types import Ge, Gt, Len
from pydantic import BaseModel

from adapters.executors.functions.arguments import NamedArguments, WholeArguments
from adapters.executors.functions.checker import InvalidArguments
from flask_tasks import Progress

PROGRESS = Progress(7)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Body:
    mass: float
    colour: Colour = Colour.RED


class Model(BaseModel):
    name: str
    bodies: list[Body] = []


class Sent(TypedDict):
    a: Annotated[int, Gt(0)]
    b: NotRequired[str]


class Tree(extensions.TypedDict):
    branches: list["Tree"]


class WithArrays(TypedDict):
    arrays: list[np.ndarray]


class Closed(extensions.TypedDict, closed=True):
    """Nothing else."""

    a: int


def handed(function: Callable[..., Any], sent: Any) -> Any:
    """Call the function with the bound arguments. Its result."""
    positional, named = NamedArguments(function).bind(json.dumps(sent), PROGRESS)
    return function(*positional, **named)


def refused(function: Callable[..., Any], sent: Any) -> str:
    with pytest.raises(InvalidArguments) as error:
        NamedArguments(function).bind(json.dumps(sent), PROGRESS)
    return str(error.value)


def property_of(annotation: Any) -> dict[str, Any]:
    def function(x): ...

    function.__annotations__ = {"x": annotation}
    schema = NamedArguments(function).schema()
    jsonschema_rs.meta.validate(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})
    return schema["properties"]["x"]


# Without annotations


def bare(a, b=2):
    return a, b


def test_without_annotations_any_json_fits() -> None:
    assert NamedArguments(bare).schema() == {
        "type": "object",
        "properties": {"a": {}, "b": {"default": 2}},
        "required": ["a"],
        "additionalProperties": False,
    }
    assert handed(bare, {"a": [None, {"x": 1.5}]}) == ([None, {"x": 1.5}], 2)


def test_an_unknown_or_missing_argument_is_refused() -> None:
    assert refused(bare, {"c": 1}) == "$.a: it is required; $.c: there is no such argument"


def test_a_function_with_kwargs_takes_further_arguments() -> None:
    def function(a, **others):
        return a, others

    assert NamedArguments(function).schema()["additionalProperties"] is True
    assert handed(function, {"a": 1, "b": 2}) == (1, {"b": 2})


def test_a_default_without_a_json_form_is_not_in_the_schema() -> None:
    def function(a=object()):  # noqa: B008
        return 1

    assert NamedArguments(function).schema()["properties"] == {"a": {}}
    assert handed(function, {}) == 1


def test_positional_only_parameters_are_bound_by_position() -> None:
    def function(a=1, b=2, /, c=3):
        return a, b, c

    assert handed(function, {"b": 5, "c": 6}) == (1, 5, 6)


def test_a_function_without_annotations_needs_no_pydantic() -> None:
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from adapters.executors.functions.arguments import NamedArguments\n"
        "NamedArguments(lambda a, b=1: 0).bind('{\"a\": 1}', None)\n"
        "sys.exit('pydantic' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# With annotations


@pytest.mark.parametrize(
    ("annotation", "schema", "fits", "value", "misfits"),
    [
        (int, {"type": "integer"}, 5, 5, [1.5, "5", True, None]),
        (int, {"type": "integer"}, 5.0, 5, []),
        (int, {"type": "integer"}, 10**4299, 10**4299, []),
        (float, {"type": "number"}, 5, 5.0, ["5", True]),
        (str, {"type": "string"}, "\0é", "\0é", [5]),
        (bool, {"type": "boolean"}, True, True, [1, "true"]),
        (list[int], {"type": "array", "items": {"type": "integer"}}, [1, 2.0], [1, 2], [["a"], 1]),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}, {"a": 1}, {"a": 1.0}, [[1]]),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}, None, None, ["a"]),
        (int | float, {"anyOf": [{"type": "integer"}, {"type": "number"}]}, 1.0, 1.0, ["1"]),
        (Literal["a", 1], {"enum": ["a", 1]}, 1, 1, ["b"]),
        (Annotated[float, Ge(0)], {"type": "number", "minimum": 0}, 0, 0.0, [-1]),
        (Annotated[int, Gt(0)], {"type": "integer", "exclusiveMinimum": 0}, 1.0, 1, [0]),
        (
            Annotated[list[float], Len(2, 2)],
            {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            [1, 2],
            [1.0, 2.0],
            [[1]],
        ),
        (
            datetime,
            {"type": "string", "format": "date-time"},
            "2026-05-01T12:00:00Z",
            datetime(2026, 5, 1, 12, tzinfo=UTC),
            ["tomorrow", 5],
        ),
        (date, {"type": "string", "format": "date"}, "2026-05-01", date(2026, 5, 1), ["x"]),
        (UUID, {"type": "string", "format": "uuid"}, str(UUID(int=5)), UUID(int=5), ["x"]),
        (Any, {}, {"a": [1]}, {"a": [1]}, []),
    ],
)
def test_arguments_are_bound_if_and_only_if_the_schema_allows_them(
    annotation: Any, schema: Any, fits: Any, value: Any, misfits: Any
) -> None:
    def function(x):
        return x

    function.__annotations__ = {"x": annotation}
    found = property_of(annotation)
    # Python gives equal unions one order, whichever a library has written first.
    found.get("anyOf", []).sort(key=itemgetter("type"))
    assert found == schema
    whole = jsonschema_rs.validator_for(NamedArguments(function).schema())
    got = handed(function, {"x": fits})
    assert (got, type(got)) == (value, type(value))
    assert whole.is_valid({"x": fits})
    for misfit in misfits:
        assert refused(function, {"x": misfit}).startswith("$.x")
        assert not whole.is_valid({"x": misfit}) or schema.get("format"), "test_argument_agreement.py checks formats"


def test_nested_arguments_are_converted() -> None:
    def function(model: Model, colour: Colour, sent: Sent, pair: tuple[int, str], few: set[int]):
        return model, colour, sent, pair, few

    sent = {
        "model": {"name": "x", "bodies": [{"mass": 1, "colour": "blue"}]},
        "colour": "red",
        "sent": {"a": 1},
        "pair": [1, "b"],
        "few": [1, 2],
    }
    assert handed(function, sent) == (
        Model(name="x", bodies=[Body(1.0, Colour.BLUE)]),
        Colour.RED,
        {"a": 1},
        (1, "b"),
        {1, 2},
    )
    assert jsonschema_rs.validator_for(NamedArguments(function).schema()).is_valid(sent)
    wrong = sent | {"sent": {"a": 0}, "model": {"name": "x", "bodies": [{}]}}
    assert refused(function, wrong) == (
        "$.model.bodies.0.mass: Field required; $.sent.a: Input should be greater than 0"
    )


def test_a_recursive_type_is_supported() -> None:
    def function(tree: Tree) -> int:
        return 1 + sum(function(each) for each in tree["branches"])

    assert handed(function, {"tree": {"branches": [{"branches": []}, {"branches": [{"branches": []}]}]}}) == 4
    assert refused(function, {"tree": {"branches": [{"branches": 1}]}}).startswith("$.tree.branches.0.branches: ")


def test_an_array_is_converted_anywhere_in_an_annotation() -> None:
    def function(sent: WithArrays) -> float:
        return sum(each.sum() for each in sent["arrays"])

    assert handed(function, {"sent": {"arrays": [[1, 2], [3.5]]}}) == 6.5
    assert refused(function, {"sent": {"arrays": [[1], "x"]}}).startswith("$.sent.arrays.1: ")


def test_a_typed_dict_may_be_closed_and_described() -> None:
    def function(sent: Closed): ...

    assert property_of(Closed)["$ref"] == "#/$defs/Closed"
    (described,) = NamedArguments(function).schema()["$defs"].values()
    assert described["description"] == "Nothing else."
    assert described["additionalProperties"] is False
    assert refused(function, {"sent": {"a": 1, "b": 2}}).startswith("$.sent.b: ")


def test_the_path_of_an_error_has_no_union_branches() -> None:
    def function(x: int | list[int | str] | None): ...

    assert set(refused(function, {"x": [1, {}]}).split("; ")) >= {"$.x.1: Input should be a valid string"}
    assert "function" not in refused(function, {"x": [1, {}]})


def test_annotations_as_text_are_resolved() -> None:
    def function(a: "int", b: "list[float] | None" = None) -> "str":
        return repr((a, b))

    assert handed(function, {"a": 1, "b": [1]}) == "(1, [1.0])"


def test_an_annotation_of_the_result_may_be_unresolvable() -> None:
    def function(a: "int") -> "NoSuchName":  # type: ignore[name-defined]  # noqa: F821
        return a

    def hook(task_id: int, args: "Sent") -> "NoSuchName":  # type: ignore[name-defined]  # noqa: F821
        return args

    assert handed(function, {"a": 1}) == 1
    assert WholeArguments(hook).bind('{"a": 1}', PROGRESS) == ([7, {"a": 1}], {})


def test_an_annotation_of_a_parameter_has_to_be_resolvable() -> None:
    def function(a: "NoSuchName"):  # type: ignore[name-defined]  # noqa: F821
        return a

    with pytest.raises(NameError, match="NoSuchName"):
        NamedArguments(function)


@pytest.mark.parametrize(
    "function",
    [lambda *xs: xs, lambda a, *xs: xs, lambda a, *xs, b=1: xs, lambda progress, /, *xs: xs],
)
def test_a_parameter_that_no_name_can_fill_is_refused_with_the_cure(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError) as refusal:
        NamedArguments(function)
    assert str(refusal.value) == "arguments have names, and none can fill *xs: take a list instead, as xs: list"


def test_a_function_that_passes_everything_on_takes_everything_by_name() -> None:
    def function(*args, **kwargs):
        return args, kwargs

    assert handed(function, {"a": 1}) == ((), {"a": 1})


def test_parameters_that_have_names_alone_are_bound_by_name() -> None:
    def function(a, *, b, c=3):
        return a, b, c

    assert handed(function, {"a": 1, "b": 2}) == (1, 2, 3)


def test_kwargs_may_have_a_type() -> None:
    def function(**others: float):
        return others

    assert handed(function, {"a": 1}) == {"a": 1.0}
    assert refused(function, {"a": "x"}).startswith("$.a: ")
    assert NamedArguments(function).schema()["additionalProperties"] == {"type": "number"}


def test_names_reserved_by_pydantic_are_valid_arguments() -> None:
    def function(json: int, _hidden: int, model_config: int, copy: int):
        return json + _hidden + model_config + copy

    assert handed(function, {"json": 1, "_hidden": 2, "model_config": 3, "copy": 4}) == 10


# NumPy


def test_arrays_are_made_of_lists_of_numbers() -> None:
    def function(a: np.ndarray, b: npt.NDArray[np.float32], c: npt.NDArray[np.uint8] | None = None):
        return a, b, c

    a, b, c = handed(function, {"a": [[1, 2], [3, 4]], "b": [1, 2.5], "c": [0, 255]})
    assert (a.tolist(), a.dtype) == ([[1, 2], [3, 4]], np.int64)
    assert (b.tolist(), b.dtype) == ([1, 2.5], np.float32)
    assert (c.tolist(), c.dtype) == ([0, 255], np.uint8)
    schema = NamedArguments(function).schema()
    single = float(np.finfo(np.float32).max)
    assert schema["properties"]["b"] == {
        "type": "array",
        "items": {"type": ["number", "array"]},
        "x-array": {"type": "number", "minimum": -single, "maximum": single},
    }
    assert schema["properties"]["c"]["anyOf"][0] == {
        "type": "array",
        "items": {"type": ["integer", "array"]},
        "x-array": {"type": "integer", "minimum": 0, "maximum": 255},
    }
    for wrong in ("text", ["a"], [[1], [2, 3]], [None], {"a": 1}):
        assert refused(function, {"a": wrong, "b": []}).startswith("$.a: ")
    for outside in ([256], [1.5], [-1]):
        assert refused(function, {"a": [], "b": [], "c": outside}).startswith("$.c: ")


# Progress


def test_a_progress_is_passed_by_the_handler_and_cannot_be_sent() -> None:
    def function(a, told: Progress, **others):
        return a, told, others

    assert handed(function, {"a": 1, "b": 2}) == (1, PROGRESS, {"b": 2})
    assert refused(function, {"a": 1, "told": 2}) == "$.told: there is no such argument"
    assert NamedArguments(function).schema()["properties"] == {"a": {}, "told": False}


def test_a_progress_may_be_positional_only() -> None:
    def function(told: Progress, a=1, /, b=2):
        return told, a, b

    assert handed(function, {"b": 3}) == (PROGRESS, 1, 3)


def test_a_progress_may_be_optional() -> None:
    def function(a: int, told: Progress | None = None):
        return told

    assert handed(function, {"a": 1}) is PROGRESS
    assert set(NamedArguments(function).schema()["properties"]) == {"a"}


# The hook


def test_the_hook_receives_all_arguments_unconverted() -> None:
    def hook(task_id: int, args: Sent): ...

    arguments = WholeArguments(hook)
    sent = {"a": 1.0, "more": [1]}
    assert arguments.bind(json.dumps(sent), PROGRESS) == ([7, sent], {})
    assert arguments.schema() == {
        "type": "object",
        "title": "Sent",
        "properties": {"a": {"type": "integer", "exclusiveMinimum": 0}, "b": {"type": "string"}},
        "required": ["a"],
    }
    with pytest.raises(InvalidArguments, match=r"^\$\.a: Input should be greater than 0$"):
        arguments.bind('{"a": 0}', PROGRESS)


def test_a_hook_without_annotations_takes_any_object() -> None:
    assert WholeArguments(lambda task_id, args: None).schema() == {"type": "object"}
    assert WholeArguments(lambda task_id, args: None).bind("{}", PROGRESS) == ([7, {}], {})


def test_a_hook_may_ask_for_a_progress() -> None:
    def hook(task_id, args, told: Progress): ...

    assert WholeArguments(hook).bind("{}", PROGRESS) == ([7, {}], {"told": PROGRESS})


def test_a_hook_of_another_form_is_refused() -> None:
    forms: list[Callable[..., Any]] = [
        lambda args: None,
        lambda task_id, args, more: None,
        lambda task_id, *, args: None,
        lambda task_id, **args: None,
    ]
    for form in forms:
        with pytest.raises(TypeError, match="it takes the id of the task and its arguments"):
            WholeArguments(form)
