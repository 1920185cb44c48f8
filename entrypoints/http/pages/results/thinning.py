"""Thinning: fewer points and cells that look the same, and the digits that a plot can show."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import floor, isfinite, log10, nan, sqrt

from entrypoints.http.pages.results.shapes import Numbers

PLOT_DIGITS = 6
Rows = Sequence[Sequence[float | None]]


def thinned(
    xs: Numbers,
    series: Sequence[Numbers],
    columns: int,
    is_log: bool = False,
    span: tuple[float, float] | None = None,
) -> tuple[Numbers, list[Numbers]]:
    """The points of series at no more than two x for each column of pixels: the least and the greatest value in it.

    `xs` rise. On a logarithmic axis they are above zero, and the columns are equally wide there. `span`: the least and
    the greatest x of the plot, if these are not those of the series.
    """
    thin_xs, thin_series = xs[:0], [xs[:0] for _ in series]
    for start, end in _spans(xs, span or (xs[0], xs[-1]), columns, is_log):
        ends = xs[start:end] if end - start == 1 else [xs[start], xs[end - 1]]
        thin_xs.extend(ends)
        for values, thin in zip(series, thin_series, strict=True):
            thin.extend(_extremes(values[start:end])[: len(ends)])
    return thin_xs, thin_series


def _spans(xs: Numbers, span: tuple[float, float], columns: int, is_log: bool) -> Iterator[tuple[int, int]]:
    """The first point of each column of pixels, and the one after its last; columns without points are left out."""
    low, high = map(log10, span) if is_log else span
    edges = [low * (1 - at / columns) + high * (at / columns) for at in range(1, columns)]
    inner = (bisect_left(xs, 10**edge if is_log else edge) for edge in edges)
    starts = sorted({0, *inner, len(xs)})
    return pairwise(starts)


def _extremes(values: Numbers) -> list[float]:
    """The least and the greatest of the values, in the order in which they come. Gaps count only where all are gaps."""
    known = [value for value in values if value == value] or [nan]
    least, most = min(known), max(known)
    return [least, most] if known.index(least) < known.index(most) or len(values) == 1 else [most, least]


def blocks(rows: Sequence[Numbers], max_cells: int) -> list[list[float]]:
    """The means of blocks of cells, at most as many as `max_cells`. A block without numbers is a gap."""
    height, width = len(rows), len(rows[0])
    shown_width = max(1, min(width, int(sqrt(max_cells * width / height))))
    shown_height = max(1, min(height, max_cells // shown_width))
    shown_width = max(1, min(width, max_cells // shown_height))
    spans = _edges(width, shown_width)
    bands = (rows[top:bottom] for top, bottom in _edges(height, shown_height))
    return [[_mean(band, left, right) for left, right in spans] for band in bands]


def _edges(length: int, parts: int) -> list[tuple[int, int]]:
    return [*pairwise(length * at // parts for at in range(parts + 1))]


def _mean(rows: Sequence[Numbers], left: int, right: int) -> float:
    known = [value for row in rows for value in row[left:right] if isfinite(value)]
    return sum(value / len(known) for value in known) if known else nan


def rounded(values: Sequence[float], is_log: bool = False, digits: int = PLOT_DIGITS) -> list[float | None]:
    """The values with as many digits as matter beside their span, and None for gaps."""
    known = [value for value in values if isfinite(value)]
    span = max(known) - min(known) if known else 0
    if is_log or not isfinite(span):
        return [_shortened(value, lambda value: float(f"{value:.{digits}g}")) for value in values]
    places = digits - 1 - floor(log10(span)) if span else None
    return [_shortened(value, lambda value: value if places is None else round(value, places)) for value in values]


def _shortened(value: float, shorten: Callable[[float], float]) -> float | None:
    """The value with fewer digits, but for the largest numbers, which would not be numbers any more; None for a gap."""
    if not isfinite(value):
        return None
    try:
        short = shorten(value)
    except OverflowError:
        return value
    return short if isfinite(short) else value
