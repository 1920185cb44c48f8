"""Line plots of results: which series is x, which are drawn, and at how many points."""

from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite, nan
from operator import ge, gt, le, lt

from entrypoints.http.pages.plots import Axis, Plot, Series
from entrypoints.http.pages.results.settings import INDEX, Settings
from entrypoints.http.pages.results.shapes import Column, Numbers
from entrypoints.http.pages.results.thinning import rounded, thinned

X_NAMES = ("t", "time", "times", "x", "xs", "date", "timestamp")
"""Names of series that are x if they rise or fall all the way, the best first."""
MAX_DRAWN_SERIES = 8
MAX_POINTS = 2_000
MAX_PLOT_NUMBERS = 6_000
"""Numbers that a plot puts into a page at most: they are about 50 kB."""
PLOT_HEIGHT = 360


@dataclass(frozen=True, slots=True)
class DrawnLines:
    """A plot, and the choices that led to it.

    - `x`: the name of the series along the axis; INDEX for none.
    - `points`: the number of points of each series before they were thinned.
    """

    plot: Plot
    x: str
    points: int

    @property
    def is_thinned(self) -> bool:
        """Whether fewer points are drawn than there are."""
        return len(self.plot.xs) < self.points

    @property
    def names(self) -> Sequence[str]:
        """The names of the series that are drawn."""
        return [series.name for series in self.plot.series]


def draw_lines(columns: Sequence[Column], settings: Settings, max_numbers: int = MAX_PLOT_NUMBERS) -> DrawnLines:
    """Draw the series that the settings name over the x that they name, or the first ones over the x that is found."""
    x = chosen_x(columns, settings.x)
    others = [column for column in columns if column.name != x]
    drawn = [column for column in others if column.name in settings.y] or others
    drawn = (drawn or list(columns))[:MAX_DRAWN_SERIES]
    is_log_x, is_log_y = "x" in settings.log, "y" in settings.log
    values_by_name = {column.name: column.values for column in columns}
    xs, series, is_in_order = points_of(values_by_name, x, [column.values for column in drawn], settings.log)
    points = len(xs)
    if points > (limit := min(MAX_POINTS, max_numbers // (len(series) + 1))):
        xs, series = thinned(xs, series, limit // 2, is_log_x)
    plot = Plot(
        xs=[value for value in rounded(xs, is_log_x) if value is not None],
        series=[Series(column.name, rounded(values, is_log_y)) for column, values in zip(drawn, series, strict=True)],
        x=Axis("index" if x == INDEX else x, log=is_log_x),
        y=Axis(drawn[0].name if len(drawn) == 1 else "", log=is_log_y),
        form="line" if is_in_order else "points",
        height=PLOT_HEIGHT,
    )
    return DrawnLines(plot, x, points)


def chosen_x(columns: Sequence[Column], name: str | None) -> str:
    """The series along the axis: the named one, one with a usual name, the first that rises or falls; else INDEX."""
    names = [column.name for column in columns]
    if name == INDEX or name in names:
        return str(name)
    if len(columns) == 1:
        return INDEX
    by_rank = sorted((column for column in columns if column.name.lower() in X_NAMES), key=_rank)
    return next((column.name for column in [*by_rank, *columns] if _is_monotone(column.values)), INDEX)


def points_of(
    values_by_name: Mapping[str, Numbers], x: str, series: Sequence[Numbers], log: Collection[str]
) -> tuple[Numbers, list[Numbers], bool]:
    """The points of series by rising x, as far as the axes have a place for them; and whether x came in order."""
    xs = values_by_name[x] if x in values_by_name else array("d", range(len(series[0])))
    values = [_positive(each) for each in series] if "y" in log else [*series]
    return _in_order(xs, values, "x" in log)


def _rank(column: Column) -> int:
    return X_NAMES.index(column.name.lower())


def _is_monotone(values: Numbers) -> bool:
    return _is_ordered(values, lt) or _is_ordered(values, gt)


def _is_ordered(values: Numbers, compare: Callable[[float, float], bool]) -> bool:
    return all(map(compare, values, islice(values, 1, None)))


def _in_order(xs: Numbers, series: list[Numbers], is_log: bool) -> tuple[Numbers, list[Numbers], bool]:
    """The points by rising x, without those that have none, and whether they came in the order of x."""
    if not all(map(isfinite, xs)) or (is_log and min(xs) <= 0):
        kept = [at for at, x in enumerate(xs) if isfinite(x) and (x > 0 or not is_log)]
        xs, series = _taken(xs, kept), [_taken(values, kept) for values in series]
    if _is_ordered(xs, le):
        return xs, series, True
    if _is_ordered(xs, ge):
        return xs[::-1], [values[::-1] for values in series], True
    order = sorted(range(len(xs)), key=xs.__getitem__)
    return _taken(xs, order), [_taken(values, order) for values in series], False


def _taken(values: Numbers, places: Sequence[int]) -> Numbers:
    return array("d", map(values.__getitem__, places))


def _positive(values: Numbers) -> Numbers:
    return array("d", (value if value > 0 else nan for value in values))
