"""The table of values in docs/functions.md holds for results, for arguments and for the client."""

import re
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pytest
from pydantic import BaseModel

from adapters.executors.functions.arguments import NamedArguments
from adapters.executors.functions.results import encode
from adapters.json_schema import SchemaChecker
from application.json.parsing import parse
from application.json.text import dump
from flask_tasks import Progress
from flask_tasks.client import json_text
from tests.conftest import ROOT


class Colour(Enum):
    RED = "red"


@dataclass
class Body:
    mass: float


class Model(BaseModel):
    n: int


class Point(NamedTuple):
    x: int
    y: int


NAMES: dict[str, Any] = {
    **{each.__name__: each for each in (Body, Colour, Counter, Decimal, IPv4Address, Model, Path, Point, UUID)},
    **{each.__name__: each for each in (date, datetime, deque, time, timedelta)},
    "UTC": UTC,
    "np": np,
}
PAGE = (ROOT / "docs/functions.md").read_text().partition("## Values in JSON")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| `(.+?)`[^|`]*(?:`\w+`)? \| `(.+?)` \| `(.+?)` \|$", PAGE.replace(r"\|", "/"), re.MULTILINE)


def evaluated(expression: str) -> Any:
    return eval(expression.replace(" / ", " | "), NAMES)


def test_every_row_of_the_table_is_read() -> None:
    assert len(ROWS) == PAGE.count("\n|") - 2 > 30


@pytest.mark.parametrize(("value", "text", "annotation"), ROWS)
def test_a_function_returns_the_value_in_this_form(value: str, text: str, annotation: str) -> None:
    assert encode(evaluated(value)) == text


@pytest.mark.parametrize(("value", "text", "annotation"), ROWS)
def test_the_client_sends_the_value_in_this_form(value: str, text: str, annotation: str) -> None:
    assert json_text.dump(evaluated(value)).decode() == text


@pytest.mark.parametrize(("value", "text", "annotation"), ROWS)
def test_a_function_takes_what_was_returned_or_sent(value: str, text: str, annotation: str) -> None:
    def function(x): ...

    function.__annotations__ = {"x": evaluated(annotation)}
    arguments, args = NamedArguments(function), f'{{"x":{text}}}'
    assert not SchemaChecker().errors(dump(arguments.schema()), parse(args))
    _, received = arguments.bind(args, Progress())
    if not isinstance(evaluated(value), np.generic | np.ndarray) and text != "null":
        assert received["x"] == evaluated(value)
        assert type(received["x"]) is type(evaluated(value))
    assert parse(encode(received["x"])) == parse(text) or isinstance(evaluated(value), np.datetime64)
