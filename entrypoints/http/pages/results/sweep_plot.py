"""The plot of a sweep: a scalar of the results over an argument with several values."""

from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

from werkzeug.datastructures import MultiDict

from entrypoints.http.pages.plots import Axis, Plot, Series
from entrypoints.http.pages.results.lines import MAX_DRAWN_SERIES, MAX_PLOT_NUMBERS, MAX_POINTS, PLOT_HEIGHT
from entrypoints.http.pages.results.points import Points, Scalar, is_number
from entrypoints.http.pages.results.settings import LOG_AXES
from entrypoints.http.pages.results.shapes import Numbers
from entrypoints.http.pages.results.thinning import rounded, thinned

NO_SERIES = "-"
"""The choice of one series for all points."""
Places = Mapping[float, Sequence[float]]
"""The values of a series by x."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The choices of the reader: names of arguments and of a scalar; None for those that are found."""

    x: str | None = None
    y: str | None = None
    by: str | None = None
    log: frozenset[str] = frozenset()

    @classmethod
    def of(cls, query: MultiDict[str, str]) -> "Choice":
        """The choices that an address names."""
        log = frozenset(query.getlist("log")) & {*LOG_AXES}
        return cls(query.get("x") or None, query.get("y") or None, query.get("by") or None, log)


@dataclass(frozen=True, slots=True)
class SweepPlot:
    """A plot, what was chosen for it, and what can be.

    - `points`: the number of points before they were thinned.
    - `hidden`: the number of series that are not drawn.
    """

    plot: Plot
    x: str
    y: str
    by: str | None
    log: frozenset[str]
    xs: Sequence[str]
    ys: Sequence[str]
    bys: Sequence[str]
    points: int
    hidden: int

    @property
    def title(self) -> str:
        """A few words about what is drawn."""
        return f"{self.y} over {self.x}" + (f", for each {self.by}" if self.by else "")

    @property
    def is_thinned(self) -> bool:
        """Whether fewer points are drawn than there are."""
        return self.points > sum(value is not None for each in self.plot.series for value in each.values)


def sweep_plot(points: Points, choice: Choice) -> SweepPlot | None:
    """The plot of some points; None if no numeric argument has several values, or no result has a number."""
    xs, ys = points.swept_numbers, points.measures
    if not xs or not ys:
        return None
    x = next((name for name in xs if name == choice.x), xs[0])
    y = next((name for name in ys if name == choice.y), ys[0])
    bys = [name for name in points.swept if name != x]
    by = choice.by if choice.by in (*bys, NO_SERIES) else _found(points, bys)
    by = None if by == NO_SERIES else by
    all = _series(points, x, y, by, choice.log)
    drawn = dict([*all.items()][:MAX_DRAWN_SERIES])
    plot = _drawn(drawn, Axis(x, log="x" in choice.log), Axis(y, log="y" in choice.log))
    count = sum(len(values) for places in drawn.values() for values in places.values())
    return SweepPlot(plot, x, y, by, choice.log, xs, ys, bys, count, len(all) - len(drawn))


def _found(points: Points, names: Sequence[str]) -> str | None:
    """The first argument that has few enough values for a series each."""
    return next((name for name in names if len({*points.arguments[name]}) <= MAX_DRAWN_SERIES), None)


def _series(points: Points, x: str, y: str, by: str | None, log: frozenset[str]) -> Mapping[str, Places]:
    """The series by their names, in the order of their values, as far as the axes have a place for their points."""
    places: dict[Scalar | None, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    keys: Sequence[Scalar | None] = points.arguments[by] if by else [None] * points.count
    for key, across, up in zip(keys, points.arguments[x], points.values[y], strict=True):
        if isinstance(across, float) and up is not None and _has_place(across, up, log):
            places[key][across].append(up)
    return {f"{by}={_text(key)}" if by else y: places[key] for key in sorted(places, key=_order)}


def _has_place(across: float, up: float, log: frozenset[str]) -> bool:
    is_within = not (("x" in log and across <= 0) or ("y" in log and up <= 0))
    return is_within and isfinite(across) and isfinite(up)


def _order(key: Scalar | None) -> tuple[int, float, str]:
    return (0, float(key), "") if is_number(key) else (1, 0, _text(key))  # type: ignore[arg-type]


def _text(key: Scalar | None) -> str:
    match key:
        case None:
            return "–"
        case bool():
            return "true" if key else "false"
        case float():
            return repr(key).removesuffix(".0")
    return key


def _drawn(series: Mapping[str, Places], x: Axis, y: Axis) -> Plot:
    """The plot. Points of one x stand below each other, and then no line joins them."""
    across = sorted({each for places in series.values() for each in places})
    depths = [max(len(places.get(each, ())) for places in series.values()) for each in across]
    xs = array("d", (each for each, depth in zip(across, depths, strict=True) for _ in range(depth)))
    values = [_column(places, across, depths) for places in series.values()]
    is_joined = max(depths, default=1) == 1
    if len(xs) > (limit := min(MAX_POINTS, MAX_PLOT_NUMBERS // (len(values) + 1))):
        xs, values = thinned(xs, values, limit // 2, x.log)
    return Plot(
        xs=[each for each in rounded(xs, x.log) if each is not None],
        series=[Series(name, rounded(each, y.log)) for name, each in zip(series, values, strict=True)],
        x=x,
        y=y,
        form="line" if is_joined else "points",
        height=PLOT_HEIGHT,
        spans_gaps=is_joined,
    )


def _column(places: Places, across: Sequence[float], depths: Sequence[int]) -> Numbers:
    column = array("d")
    for x, depth in zip(across, depths, strict=True):
        found = [*places.get(x, ())]
        column.extend(found + [nan] * (depth - len(found)))
    return column
