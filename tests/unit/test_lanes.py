"""The lane of a task: the value of the argument that its type names."""

from typing import Any

import pytest

from application.json.lanes import MAX_CHARACTERS, lane
from domain.ids import NO_LANE
from domain.limits import Limits
from tests.steps import task
from tests.unit.http_service import Service


@pytest.fixture
def service() -> Service:
    service = Service()
    service.publish("add", limits=Limits(lane="user"))
    service.publish("free")
    return service


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"user": "anna"}, '"anna"'),
        ({"user": 5}, "5"),
        ({"user": "5"}, '"5"'),
        ({"user": 5.0}, "5"),
        ({"user": {"b": 1, "a": [True, None]}}, '{"a": [true, null], "b": 1}'),
        ({"user": "nul \0 é"}, '"nul \\u0000 \\u00e9"'),
        ({"user": ""}, '""'),
        ({"user": None}, NO_LANE),
        ({}, NO_LANE),
        ({"other": 5}, NO_LANE),
    ],
)
def test_equal_values_have_one_lane(args: dict[str, Any], expected: str) -> None:
    assert lane(args, "user") == expected


def test_a_type_without_lanes_has_none() -> None:
    assert lane({"user": "anna"}, None) is None


def test_a_long_value_is_known_by_its_hash() -> None:
    first, second = (lane({"user": MAX_CHARACTERS * "x" + end}, "user") for end in "ab")
    assert first is not None
    assert len(first) <= MAX_CHARACTERS
    assert first != second


def test_a_submitted_task_has_its_lane(service: Service) -> None:
    service.client.post("/task/new/add", json={"user": "anna"})
    service.client.post("/tasks", json=[{"type": "add", "args": {"user": "bo"}}, {"type": "add", "args": {}}])
    service.client.post("/task/new/free", json={"user": "anna"})
    assert [task(service.storage, id).lane for id in (1, 2, 3, 4)] == ['"anna"', '"bo"', NO_LANE, None]
