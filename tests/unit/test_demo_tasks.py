"""The functions that ship with the service."""

import json
from math import cosh, log, pi, sqrt
from pathlib import Path
from typing import Any

import pytest

from adapters.executors.functions.registry import FunctionRegistry
from adapters.json_schema import SchemaChecker
from domain.failure import Failure
from domain.ids import TypeName
from flask_tasks import Progress

G = 9.81
BALL: dict[str, Any] = {"dt": 0.01, "r0": [0, 0, 10], "v0": [0, 0, 0], "mass": 1, "radius": 0.1}


@pytest.fixture(scope="module")
def demo() -> FunctionRegistry:
    return FunctionRegistry(["tasks/tasks.py"], Path(__file__).parents[2])


def performed(demo: FunctionRegistry, type: str, args: dict[str, Any]) -> Any:
    """The result, or the message of the failure."""
    outcome = demo.perform(TypeName(type), json.dumps(args), Progress(192))
    return outcome.message if isinstance(outcome, Failure) else json.loads(outcome)


def test_the_default_function_returns_its_argument_in_a_message(demo: FunctionRegistry) -> None:
    assert performed(demo, "default", {"required_arg": "test"}) == {"message": "Task 192 ran with required_arg: test"}
    assert performed(demo, "default", {"required_arg": None, "more": 1})["message"].endswith("required_arg: None")


def test_the_default_function_requires_its_argument(demo: FunctionRegistry) -> None:
    assert performed(demo, "default", {"other": 1}) == "$.required_arg: it is required"
    (schema,) = [json.loads(each.schema) for each in demo.types() if each.name == "default"]
    assert schema == {
        "type": "object",
        "properties": {"required_arg": {}},
        "required": ["required_arg"],
        "additionalProperties": True,
    }


def test_integers_are_added_exactly_and_stay_integers(demo: FunctionRegistry) -> None:
    outcome = demo.perform(TypeName("add"), '{"a":1%s,"b":1}' % ("0" * 4000), Progress())
    assert outcome == "1" + "0" * 3999 + "1"
    assert performed(demo, "add", {"a": 1, "b": 0.5}) == 1.5
    assert performed(demo, "add", {"a": "1", "b": True}).startswith("$.a")


def test_a_fall_without_drag_is_that_of_the_closed_form(demo: FunctionRegistry) -> None:
    start, velocity = [1.0, -2.0, 30.0], [3.0, 4.0, 5.0]
    found = performed(demo, "mov3d", {**BALL, "r0": start, "v0": velocity, "dt": 0.013})
    end = (velocity[2] + sqrt(velocity[2] ** 2 + 2 * G * start[2])) / G
    assert found["times"][-1] == pytest.approx(end, abs=1e-12)
    for t, position in zip(found["times"], found["positions"], strict=True):
        closed = [r + v * t for r, v in zip(start, velocity, strict=True)]
        closed[2] -= G * t**2 / 2
        assert position == pytest.approx(closed, abs=1e-9)


def test_a_fall_with_drag_is_that_of_the_closed_form(demo: FunctionRegistry) -> None:
    found = performed(demo, "mov3d", {**BALL, "r0": [0, 0, 500], "drag": True})
    terminal = sqrt(2 * BALL["mass"] * G / (1.225 * 0.47 * pi * BALL["radius"] ** 2))
    for t, position in list(zip(found["times"], found["positions"], strict=True)):
        assert position == pytest.approx([0, 0, 500 - terminal**2 / G * log(cosh(G * t / terminal))], abs=1e-6)


def test_a_fall_ends_exactly_on_the_ground(demo: FunctionRegistry) -> None:
    found = performed(demo, "mov3d", {**BALL, "dt": 0.3, "v0": [1, 0, 2], "drag": True})
    steps = [later - earlier for earlier, later in zip(found["times"], found["times"][1:], strict=False)]
    assert found["positions"][-1][2] == 0
    assert all(position[2] > 0 for position in found["positions"][:-1])
    assert steps[:-1] == pytest.approx([0.3] * (len(steps) - 1))
    assert 0 < steps[-1] <= 0.3


def test_a_body_on_the_ground_stays_there(demo: FunctionRegistry) -> None:
    assert performed(demo, "mov3d", {**BALL, "r0": [1, 2, 0]}) == {"times": [0.0], "positions": [[1.0, 2.0, 0.0]]}


def test_a_body_thrown_from_the_ground_comes_back(demo: FunctionRegistry) -> None:
    found = performed(demo, "mov3d", {**BALL, "r0": [0, 0, 0], "v0": [0, 0, 1], "dt": 10})
    assert found["times"] == pytest.approx([0, 2 / G])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dt": 0}, "$.dt: Input should be greater than 0"),
        ({"mass": -1}, "$.mass: Input should be greater than 0"),
        ({"radius": 0}, "$.radius: Input should be greater than 0"),
        ({"r0": [0, 0]}, "$.r0: List should have at least 3 items after validation, not 2"),
        ({"v0": [0, 0, 0, 0]}, "$.v0: List should have at most 3 items after validation, not 4"),
        ({"wind": 1}, "$.wind: Extra inputs are not permitted"),
        ({"r0": [0, 0, -1]}, "r0 is below the ground, at z = -1.0 m"),
        ({"dt": 1e-9}, "the sphere is still in the air after 50000 steps of 1e-09 s: dt must be longer"),
        (
            {"dt": 100, "mass": 1e-9, "radius": 10, "v0": [1e9, 0, 0], "drag": True},
            "dt is too long for this motion: 100.0 s",
        ),
    ],
)
def test_an_argument_of_mov3d_without_sense_fails_with_a_sentence(
    demo: FunctionRegistry, change: dict[str, Any], message: str
) -> None:
    assert performed(demo, "mov3d", BALL | change) == message


def test_the_schema_of_mov3d_has_its_bounds(demo: FunctionRegistry) -> None:
    (schema,) = [json.loads(each.schema) for each in demo.types() if each.name == "mov3d"]
    vector = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}
    assert schema["properties"] == {
        "dt": {"type": "number", "exclusiveMinimum": 0},
        "r0": vector,
        "v0": vector,
        "mass": {"type": "number", "exclusiveMinimum": 0},
        "radius": {"type": "number", "exclusiveMinimum": 0},
        "drag": {"type": "boolean", "default": False},
    }
    assert schema["required"] == ["dt", "r0", "v0", "mass", "radius"]
    assert schema["additionalProperties"] is False


def test_every_result_fits_the_schema_that_is_published(demo: FunctionRegistry) -> None:
    schemas = {str(each.name): each.result_schema or "false" for each in demo.types()}
    args: dict[str, dict[str, Any]] = {"default": {"required_arg": 1}, "add": {"a": 1, "b": 2}, "mov3d": BALL}
    assert schemas.keys() == args.keys()
    for type, schema in schemas.items():
        assert not SchemaChecker().errors(schema, performed(demo, type, args[type]))
    assert SchemaChecker().errors(schemas["mov3d"], {"times": [], "positions": ["a"]}).keys() == {"$.positions.0"}
