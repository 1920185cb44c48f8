"""Functions that generators of clients find awkward: by their names, those of their models, arguments and results."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict
from uuid import UUID

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field

from flask_tasks import Progress, task

NAMES = [
    *("log", "error", "page", "task", "type", "state", "ids", "counts", "changed", "attempt", "summary", "types"),
    *(
        "Task",
        "Error",
        "LOG",
        "TaskArgs",
        "task_args",
        "task_status",
        "list_tasks_status",
        "view_log",
        "submit_default",
    ),
    *("class", "import", "None", "def", "async", "list", "str", "self", "datetime", "Any", "Unset", "UNSET"),
    *("client", "models", "api", "body", "response", "errors", "new", "arguments", "model", "operations", "paths"),
    *("foo", "Foo", "FOO", "foo_", "_foo", "__foo", "fo_o", "foo.", "foo-", "f.o.o", "a_b", "ab", "AB", "aB"),
    *("HTTPServer", "HttpServer", "http_server", "httpServer", "1", "1a", "field_1a", "type_1", "_", "__", "-"),
    *("größe", "gr_uf6_udf_e", "日本", "x" * 100, "日" * 100),
    *("grow", "grow_kind", "grow_arguments", "grow_kind_model"),
]


def _named(name: str) -> Any:
    @task(name=name)
    def function(n: int, kind: Literal["a", "b"] = "a", Kind: Literal["c"] | None = None) -> int:  # noqa: N803
        """Return the number."""
        return n

    return function


globals().update({f"function_{number}": _named(name) for number, name in enumerate(NAMES)})


class Unit(Enum):
    """A unit, whose names differ in case alone."""

    METRE = "m"
    MEGA = "M"


@dataclass
class Vector:
    """A place."""

    x: float
    y: float = 0.0
    unit: Unit = Unit.METRE


class Kind(TypedDict):
    """A model whose name is also that of an argument."""

    n: int
    note: NotRequired[str]


class Length(TypedDict):
    """A length, and how it was measured."""

    x: float
    unit: Unit
    n: int
    kind: Literal["short", "long"]


@task
def measure(
    start: Vector,
    kind: Kind,
    Kind: Literal["short", "long"] = "short",  # noqa: N803
    ends: list[Vector] = [],  # noqa: B006
) -> Length:
    """Measure the way between some places."""
    return {"x": start.x + sum(end.x for end in ends), "unit": start.unit, "n": kind["n"], "kind": Kind}


def _paint():
    @dataclass
    class Vector:
        """Another model of the same name."""

        red: int
        unit: Literal["rgb"] = "rgb"

    @task(name="paint")
    def paint(start):
        return start.red

    paint.__annotations__ = {"start": Vector}
    return paint


paint = _paint()


@task
def invert(matrix: npt.NDArray[np.float64], mask: np.ndarray | None = None) -> npt.NDArray[np.floating]:
    """Invert a matrix."""
    return np.linalg.inv(matrix)


@task
def choose(
    how: Literal[True, "auto", 2, None, 0.5],  # type: ignore[valid-type]
    sign: Literal["+", "-"],
    case: Literal["a", "A", "a b", "a_b"] = "a",
):
    """Return what was chosen."""
    return [how, sign, case]


@task
def default_values(
    default: Vector = Vector(1.0),  # noqa: B008
    enum: dict[str, list[int]] = {"a": [1]},  # noqa: B006
    const: int | None = 5,
    example: tuple[int, str] = (1, "a"),
    mapping: dict = {},  # noqa: B006
):
    """Return the arguments, which are named as words of JSON Schema."""
    return [default, enum, const, list(example), mapping]


@task
def read(when: datetime, key: UUID, price: Decimal, data: bytes = b""):
    """Return texts of values that are no JSON."""
    return [when.isoformat(), str(key), str(price), len(data)]


@dataclass
class Tree:
    """A tree, which has trees as parts."""

    name: str
    parts: "list[Tree]" = field(default_factory=list)


@task
def count(tree: Tree) -> int:
    """Count the parts of a tree."""

    def number(tree: Tree) -> int:
        return 1 + sum(map(number, tree.parts))

    return number(tree)


@task
def plant(name: str) -> Tree:
    """Return a tree with a branch."""
    return Tree(name, [Tree(f"{name} branch")])


Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@task
def multiply(a: Matrix, b: Matrix) -> Matrix:
    """Multiply two matrices."""
    return a @ b


class Cat(BaseModel):
    """An animal."""

    kind: Literal["cat"]
    lives: int = Field(9, alias="class")


class Dog(BaseModel):
    """Another."""

    kind: Literal["dog"]


@task
def feed(animal: Annotated[Cat | Dog, Field(discriminator="kind")]) -> Literal["cat", "dog"]:
    """Return what the animal is."""
    return animal.kind


@task
def adopt(kind: Literal["cat", "dog"]) -> Cat | Dog:
    """Return an animal."""
    return Cat.model_validate({"kind": "cat"}) if kind == "cat" else Dog(kind="dog")


@task
def remember(when: datetime) -> dict[str, datetime | None]:
    """Return a time by a name, and none by another."""
    return {"when": when, "never": None}


class Point(NamedTuple):
    """A point."""

    x: int
    y: int = 0


@task
def draw(point: Point, points: list[Point] = []) -> list[Point]:  # noqa: B006
    """Return the points."""
    return [point, *points]


@task
def score(name: str, **points: int) -> dict[str, int]:
    """Add up points by name."""
    return {name: sum(points.values())}


@task
def anything(progress: Progress, **arguments):
    """Return its arguments."""
    progress(1.0, "here")
    return arguments


@task
def nothing() -> None:
    """Take nothing."""


@task(priority=3, max_attempts=2, timeout=20)
def fail(message: str = "no"):
    """Print, and fail."""
    print("trying")  # noqa: T201
    raise ValueError(message)
