"""Plots of results: which series is x, thinning that keeps the extremes, and curves over a common x."""

import json
import sys
from array import array
from math import inf, isnan, nan, sin
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.pages.plots import Axis, Mark, Plot, Series
from entrypoints.http.pages.results.heat import MAX_CELLS, heat_map
from entrypoints.http.pages.results.lines import MAX_POINTS, DrawnLines, draw_lines
from entrypoints.http.pages.results.overlay import overlays
from entrypoints.http.pages.results.settings import Settings
from entrypoints.http.pages.results.shape_of import shape_of
from entrypoints.http.pages.results.shapes import Lines, Matrix
from entrypoints.http.pages.results.thinning import blocks, rounded, thinned

PLAIN = Settings()
FINITE = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("result", "x"),
    [
        ({"y": [3, 1, 2], "t": [0, 1, 2]}, "t"),
        ({"x": [0, 1, 2], "Time": [0, 1, 2]}, "Time"),
        ({"y": [3, 1, 2], "depth": [9, 5, 1]}, "depth"),
        ({"t": [0, 2, 1], "y": [3, 1, 2]}, "#"),
        ({"y": [0, 1, 2]}, "#"),
        ({"t": [0, None, 2], "n": [1, 2, 3]}, "n"),
    ],
)
def test_x_of_a_plot_is_found(result: Any, x: str) -> None:
    assert _drawn(result).x == x


def test_x_of_a_plot_can_be_chosen() -> None:
    result = {"t": [0, 1, 2], "y": [5, 6, 7]}
    assert _drawn(result, Settings(x="y")).names == ["t"]
    assert _drawn(result, Settings(x="#")).names == ["t", "y"]
    assert _drawn(result, Settings(x="unknown")).x == "t"


def test_series_of_a_plot_can_be_chosen() -> None:
    assert _drawn({"t": [0, 1], "a": [1, 2], "b": [3, 4]}, Settings(y=["b"])).names == ["b"]


def test_points_over_a_falling_x_are_turned_round() -> None:
    plot = _drawn({"t": [2, 1, 0], "y": [5, 6, 7]}).plot
    assert (plot.xs, plot.series[0].values, plot.form) == ([0, 1, 2], [7, 6, 5], "line")


def test_points_over_an_x_that_goes_back_and_forth_are_not_joined() -> None:
    plot = _drawn({"a": [1, 0, 2], "y": [5, 6, 7]}, Settings(x="a")).plot
    assert (plot.xs, plot.series[0].values, plot.form) == ([0, 1, 2], [6, 5, 7], "points")


def test_points_without_an_x_are_left_out_and_other_gaps_are_kept() -> None:
    plot = _drawn({"a": [1, None, 3], "y": [None, 6, 7]}, Settings(x="a")).plot
    assert (plot.xs, plot.series[0].values) == ([1, 3], [None, 7])


def test_logarithmic_axes_leave_out_what_is_not_above_zero() -> None:
    plot = _drawn({"t": [0, 1, 2], "y": [5, -1, 1e-30]}, Settings(log=frozenset("xy"))).plot
    assert (plot.xs, plot.series[0].values) == ([1, 2], [None, 1e-30])


def test_a_plot_of_many_points_has_few_and_says_so() -> None:
    drawn = _drawn({"t": [*range(100_000)], "y": [sin(i / 500) for i in range(99_999)] + [50.0]})
    assert drawn.is_thinned
    assert drawn.points == 100_000
    assert len(drawn.plot.xs) <= MAX_POINTS
    assert max(value for value in drawn.plot.series[0].values if value is not None) == 50


@given(st.lists(st.tuples(FINITE, FINITE, st.one_of(FINITE, st.just(nan))), min_size=1), st.integers(1, 30))
def test_thinning_keeps_the_ends_and_the_extremes(points: list[tuple[float, float, float]], columns: int) -> None:
    points.sort(key=lambda point: point[0])
    xs, *series = (array("d", each) for each in zip(*points, strict=True))
    thin_xs, thin_series = thinned(xs, series, columns)
    assert len(thin_xs) <= 2 * columns
    assert (thin_xs[0], thin_xs[-1]) == (xs[0], xs[-1])
    assert [*thin_xs] == sorted(thin_xs)
    for values, thin in zip(series, thin_series, strict=True):
        assert len(thin) == len(thin_xs)
        known, kept = ([each for each in some if not isnan(each)] for some in (values, thin))
        assert (min(known, default=0), max(known, default=0)) == (min(kept, default=0), max(kept, default=0))


@given(st.lists(st.one_of(st.floats(), st.just(inf))), st.booleans())
def test_rounded_values_are_numbers_of_json(values: list[float], is_log: bool) -> None:
    assert len(json.loads(json.dumps(rounded(values, is_log), allow_nan=False))) == len(values)


@pytest.mark.parametrize("digits", [1, 2, 6])
@pytest.mark.parametrize("is_log", [True, False])
def test_the_largest_numbers_are_rounded_to_numbers(is_log: bool, digits: int) -> None:
    largest = sys.float_info.max
    assert rounded([largest, 1.0, -largest / 1e6, nan], is_log, digits)[0] == pytest.approx(largest, rel=0.1)
    assert rounded([largest, 0.0], is_log, digits) == pytest.approx([largest, 0.0], rel=0.1)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 200))
def test_blocks_of_a_matrix_are_at_most_so_many(height: int, width: int, limit: int) -> None:
    cells = blocks([array("d", [7.0] * width)] * height, limit)
    assert len(cells) * len(cells[0]) <= limit
    assert all(each == pytest.approx(7) for row in cells for each in row)


def test_a_block_of_a_matrix_is_the_mean_of_its_numbers() -> None:
    rows = [array("d", [1, 3, nan, nan]), array("d", [5, nan, nan, nan])]
    assert blocks(rows, 2)[0][0] == 3
    assert isnan(blocks(rows, 2)[0][1])


def test_a_large_matrix_is_drawn_with_few_cells() -> None:
    matrix = shape_of(json.dumps([[r * c for c in range(300)] for r in range(200)]))
    assert isinstance(matrix, Matrix)
    heat = heat_map(matrix)
    assert heat.is_thinned
    assert len(heat.cells) * len(heat.cells[0]) <= MAX_CELLS
    assert (heat.height, heat.width) == (200, 300)


def test_json_of_a_plot_has_gaps_for_what_json_cannot_say() -> None:
    plot = Plot([0, 1, 2], [Series("a", [nan, inf, None], "--done")], Axis("t", time=True), marks=[Mark(1, "here")])
    assert json.loads(json.dumps(plot.spec, allow_nan=False)) == {
        "x": {"name": "t", "time": True, "values": [0, 1, 2]},
        "y": {},
        "series": [{"name": "a", "values": [None, None, None], "color": "--done"}],
        "form": "line",
        "height": 280,
        "marks": [{"x": 1, "name": "here"}],
    }


def test_rows_of_a_plot_are_its_numbers_in_words() -> None:
    plot = Plot([0], [Series("a", [0.25]), Series("b", [None])], Axis("t", time=True), Axis("run time", unit="s"))
    [(x, values)] = plot.rows()
    assert "1970-01-01 00:00:00 UTC" in x
    assert values == ["250 ms", "–"]


def test_curves_over_different_x_are_drawn_over_all_of_them() -> None:
    [overlay] = overlays({"one": _lines({"t": [0, 2], "y": [0, 4]}), "two": _lines({"t": [1, 3], "y": [5, 5]})}, PLAIN)
    assert overlay.name == "y"
    assert overlay.plot.xs == [0, 1, 2, 3]
    assert [each.values for each in overlay.plot.series] == [[0, 2, 4, None], [None, 5, 5, 5]]


def test_gaps_of_curves_stay_gaps() -> None:
    gap = _lines({"t": [0, 2, 4], "y": [0, None, 4]})
    [overlay] = overlays({"one": gap, "two": _lines({"t": [1, 3], "y": [5, 5]})}, PLAIN)
    assert overlay.plot.series[0].values == [0, None, None, None, 4]


def test_series_that_one_result_alone_has_are_not_compared() -> None:
    shapes = {"one": _lines({"t": [0, 1], "y": [0, 1], "z": [0, 1]}), "two": _lines({"t": [0, 1], "y": [0, 1]})}
    assert [overlay.name for overlay in overlays(shapes, PLAIN)] == ["y"]


def test_curves_of_many_points_are_few_together() -> None:
    shapes = {
        name: _lines({"t": [i + shift for i in range(9_000)], "y": [sin(i / 9) for i in range(9_000)]})
        for name, shift in (("one", 0.0), ("two", 0.25), ("three", 0.5))
    }
    [overlay] = overlays(shapes, PLAIN)
    assert len(overlay.plot.xs) * 4 <= 11_000
    assert [each.points for each in overlay.summaries] == [9_000] * 3


def _lines(result: Any) -> Lines:
    shape = shape_of(json.dumps(result))
    assert isinstance(shape, Lines)
    return shape


def _drawn(result: Any, settings: Settings = PLAIN) -> DrawnLines:
    return draw_lines(_lines(result).columns, settings)
