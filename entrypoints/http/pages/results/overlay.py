"""Series of the same name from several results, drawn over one x."""

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from entrypoints.http.pages.plots import Axis, Plot, Series
from entrypoints.http.pages.results.lines import chosen_x, points_of
from entrypoints.http.pages.results.settings import INDEX, Settings
from entrypoints.http.pages.results.shapes import Lines, Numbers
from entrypoints.http.pages.results.thinning import rounded, thinned

MAX_PLOTS = 8
MAX_NUMBERS = 10_000
"""Numbers that all plots together put into a page at most."""
PLOT_HEIGHT = 260
MIN_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Summary:
    """One series of a plot in a few numbers, as a table shows them."""

    name: str
    points: int
    first: float | None
    last: float | None
    least: float | None
    greatest: float | None


@dataclass(frozen=True, slots=True)
class Overlay:
    """A plot of the series of one name, one for each result that has it."""

    name: str
    plot: Plot
    summaries: Sequence[Summary]


@dataclass(frozen=True, slots=True)
class Curve:
    """The points of one series by rising x. `is_joined`: whether x came in order, so that a line may join them."""

    name: str
    color: str
    xs: Numbers
    values: Numbers
    is_joined: bool


def overlays(results: Mapping[str, Lines], settings: Settings) -> Sequence[Overlay]:
    """The plots of all names that two or more results have, by the name of each result."""
    x_by_result = {label: chosen_x(lines.columns, settings.x) for label, lines in results.items()}
    names = [column.name for lines in results.values() for column in lines.columns]
    shared = [name for name in dict.fromkeys(names) if name not in x_by_result.values() and names.count(name) > 1]
    shown = shared[:MAX_PLOTS]
    return [_overlay(name, results, x_by_result, settings, MAX_NUMBERS // len(shown)) for name in shown]


def _overlay(
    name: str, results: Mapping[str, Lines], x_by_result: Mapping[str, str], settings: Settings, max_numbers: int
) -> Overlay:
    curves = [
        Curve(label, f"--plot-{number}", *_points(lines, name, x_by_result[label], settings))
        for number, (label, lines) in enumerate(results.items(), start=1)
        if name in (column.name for column in lines.columns)
    ]
    is_log_x, is_log_y = "x" in settings.log, "y" in settings.log
    thin = _thinned(curves, max_numbers, is_log_x)
    xs = array("d", sorted({x for curve in thin for x in curve.xs}))
    x = next(iter(x_by_result.values()))
    plot = Plot(
        xs=[value for value in rounded(xs, is_log_x) if value is not None],
        series=[Series(curve.name, rounded(_values_at(xs, curve), is_log_y), curve.color) for curve in thin],
        x=Axis("index" if x == INDEX else x, log=is_log_x),
        y=Axis(log=is_log_y),
        form="line" if all(curve.is_joined for curve in curves) else "points",
        height=PLOT_HEIGHT,
    )
    return Overlay(name, plot, [_summary(curve) for curve in curves])


def _points(lines: Lines, name: str, x: str, settings: Settings) -> tuple[Numbers, Numbers, bool]:
    values_by_name = {column.name: column.values for column in lines.columns}
    xs, [values], is_joined = points_of(values_by_name, x, [values_by_name[name]], settings.log)
    return xs, values, is_joined


def _thinned(curves: Sequence[Curve], max_numbers: int, is_log: bool) -> Sequence[Curve]:
    """The curves at so few points that the x of all of them, each with a value of every curve, are not too many."""
    max_xs = max_numbers // (len(curves) + 1)
    if len({x for curve in curves for x in curve.xs}) <= max_xs:
        return curves
    known = [curve for curve in curves if curve.xs]
    span = min(curve.xs[0] for curve in known), max(curve.xs[-1] for curve in known)
    columns = max(max_xs // 2, MIN_COLUMNS)
    thin = _thinned_at(known, span, columns, is_log)
    # Curves over the same x need as many as one alone; others take turns.
    are_few = len({x for curve in thin for x in curve.xs}) <= max_xs
    return thin if are_few else _thinned_at(known, span, max(columns // len(known), MIN_COLUMNS), is_log)


def _thinned_at(curves: Sequence[Curve], span: tuple[float, float], columns: int, is_log: bool) -> Sequence[Curve]:
    thin = []
    for curve in curves:
        xs, [values] = thinned(curve.xs, [curve.values], columns, is_log, span)
        thin.append(replace(curve, xs=xs, values=values))
    return thin


def _values_at(xs: Numbers, curve: Curve) -> list[float]:
    """The values of a curve at each x: its own, or those of the line between two of its points; else a gap."""
    return [_value_at(x, curve) for x in xs]


def _value_at(x: float, curve: Curve) -> float:
    after = bisect_left(curve.xs, x)
    if after < len(curve.xs) and curve.xs[after] == x:
        return curve.values[after]
    if not curve.is_joined or after in (0, len(curve.xs)):
        return float("nan")
    left, right = curve.xs[after - 1], curve.xs[after]
    low, high = curve.values[after - 1], curve.values[after]
    return low + (high - low) * ((x - left) / (right - left))


def _summary(curve: Curve) -> Summary:
    known = [value for value in curve.values if isfinite(value)]
    if not known:
        return Summary(curve.name, len(curve.values), None, None, None, None)
    return Summary(curve.name, len(curve.values), known[0], known[-1], min(known), max(known))
