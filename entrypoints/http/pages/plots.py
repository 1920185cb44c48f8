"""Plots: the numbers of a figure that a script draws, and that stand below it as a table.

`static/plots.js` says how each field is drawn; the macro in `templates/plot.html` makes the figure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from markupsafe import Markup

from entrypoints.http.pages.formats import duration, moment

MAX_PLAIN = 1e15
"""Whole numbers below it are shown with all of their digits."""
Values = Sequence[float | None]
"""Numbers of a series. None is a gap."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The name and the scale of an axis.

    - `unit`: "s" for durations, which are shown as in 340 ms; any other unit stands behind the numbers.
    - `time`: whether the values are Unix seconds.
    - `zero`: whether the axis begins at zero.
    """

    name: str = ""
    unit: str = ""
    time: bool = False
    log: bool = False
    zero: bool = False

    def text(self, value: float | None) -> str | Markup:
        """A value of this axis, as a table shows it."""
        if value is None:
            return "–"
        if self.time:
            return moment(datetime.fromtimestamp(value, UTC))
        if self.unit == "s":
            return duration(value)
        is_whole = value.is_integer() and abs(value) < MAX_PLAIN
        return f"{value:{'.0f' if is_whole else '.7g'}}{self.unit and ' '}{self.unit}"


@dataclass(frozen=True, slots=True)
class Series:
    """A row of values, one for each x.

    - `color`: a custom property, such as --done; None for the next of the palette.
    - `is_line`: whether it is a line among bars, which is not stacked.
    """

    name: str
    values: Values
    color: str | None = None
    is_line: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A named line across the plot, at an x."""

    x: float
    name: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of series over one x, whose values rise.

    - `form`: "line", "points" or "bars".
    - `stacked`: whether each series is drawn on top of those after it.
    - `sync`: the name of a cursor that several plots share.
    - `spans_gaps`: whether lines lead over gaps.
    """

    xs: Sequence[float]
    series: Sequence[Series]
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    form: str = "line"
    stacked: bool = False
    height: int = 280
    sync: str | None = None
    marks: Sequence[Mark] = ()
    spans_gaps: bool = False

    @property
    def spec(self) -> dict[str, Any]:
        """The JSON of the figure, which the script reads."""
        return _given(
            x=_axis(self.x) | {"values": self.xs},
            y=_axis(self.y),
            series=[
                _given(name=each.name, values=_gaps(each.values), color=each.color, line=each.is_line)
                for each in self.series
            ],
            form=self.form,
            stacked=self.stacked,
            height=self.height,
            sync=self.sync,
            spans=self.spans_gaps,
            marks=[{"x": mark.x, "name": mark.name} for mark in self.marks],
        )

    def rows(self) -> Iterator[tuple[str | Markup, Sequence[str | Markup]]]:
        """The x and the values of each row of the table."""
        for at, x in enumerate(self.xs):
            yield self.x.text(x), [self.y.text(each.values[at]) for each in self.series]


def _axis(axis: Axis) -> dict[str, Any]:
    return _given(name=axis.name, unit=axis.unit, time=axis.time, log=axis.log, zero=axis.zero)


def _given(**fields: Any) -> dict[str, Any]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value is not None and value is not False and value != ""}


def _gaps(values: Values) -> list[float | None]:
    """The values with a gap for each that JSON has no number for."""
    return [value if value is not None and isfinite(value) else None for value in values]
