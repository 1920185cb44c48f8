"""Shapes: the forms in which a result is shown."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from entrypoints.http.pages.results.parts import Part

PICTURES = {"png": "png", "jpeg": "jpg", "gif": "gif", "webp": "webp", "svg+xml": "svg"}
"""Kinds of pictures, and how names of their files end."""
Numbers: TypeAlias = "array[float]"


class Place(NamedTuple):
    """An array of numbers in the text, or one of equally long arrays of numbers. `width`: numbers of each item."""

    start: int
    end: int
    width: int


@dataclass(frozen=True, slots=True)
class Column:
    """A named series of numbers. A gap is NaN."""

    name: str
    values: Numbers


@dataclass(frozen=True, slots=True)
class Lines:
    """Equally long series, and the single values beside them.

    `places`: the arrays that the columns are read from, in their order.
    """

    columns: Sequence[Column]
    places: Sequence[Place]
    scalars: Sequence[Part] = ()

    @property
    def length(self) -> int:
        """The number of points of each series."""
        return len(self.columns[0].values)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Equally long rows of numbers. A gap is NaN."""

    rows: Sequence[Numbers]
    place: Place

    @property
    def width(self) -> int:
        """The number of columns."""
        return self.place.width


@dataclass(frozen=True, slots=True)
class Table:
    """A list of objects. `starts`: the place of each in the text; `fields`: all names, in order of appearance."""

    starts: Sequence[int]
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class Scalars:
    """A mapping of names to single values."""

    members: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image. `kind`: the second half of its content type."""

    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    text: str


@dataclass(frozen=True, slots=True)
class Tree:
    """Any other value."""


Shape = Lines | Matrix | Table | Scalars | Picture | Text | Tree
