"""Benchmarks: what has become slower is noticed, and what stands alone has no ratio."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import page, recorded, report
from benchmarks.comparison import Comparison, Figures, Result, Side, compared, steps
from benchmarks.recorded import Figure, Record, fell_behind


def result(
    ours: Sequence[float], reference: Sequence[float] = (), *, more_is_better: bool = True, must: float | None = None
) -> Result:
    side = Side("a side", lambda: 1.0)
    comparison = Comparison(
        name="drain",
        unit="tasks/s",
        ours=side,
        reference=side if reference else None,
        more_is_better=more_is_better,
        must=must,
    )
    return Result(comparison, Figures(list(ours)), Figures(list(reference)))


def record(ratio: float, tolerance: float) -> Record:
    return Record(unit="tasks/s", ours=Figure("ours", ratio, 0), ratio=ratio, tolerance=tolerance)


@pytest.mark.parametrize(
    ("figure", "more_is_better", "is_behind"),
    [
        (76, True, False),
        (74, True, True),
        (300, True, False),
        (130, False, False),
        (140, False, True),
        (9, False, False),
    ],
)
def test_a_ratio_that_is_worse_by_more_than_the_tolerance_has_fallen_behind(
    figure: float, more_is_better: bool, is_behind: bool
):
    measured = result([figure], [100], more_is_better=more_is_better)
    assert bool(fell_behind([measured], {"drain": record(1.0, 0.25)})) == is_behind


def test_a_ratio_that_fell_behind_is_reported_with_the_difference():
    assert fell_behind([result([50], [100])], {"drain": record(1.0, 0.25)}) == [
        "drain: the ratio is 0.50, 50% worse than the recorded 1.00; 25% would be chance"
    ]


def test_a_ratio_that_was_never_recorded_is_reported_as_such():
    assert fell_behind([result([1], [1])], {}) == [
        "drain: nothing is recorded to compare its ratio with; --record does"
    ]


@pytest.mark.parametrize(
    ("ours", "tolerance"),
    [([100, 100, 100], 0.25), ([90, 100, 110], 0.4), ([50, 100, 150], 0.6)],
    ids=["steady", "shaky", "wild"],
)
def test_the_more_its_figures_differ_the_more_is_tolerated(ours: Sequence[float], tolerance: float):
    kept = Record.of(result(ours, [100]))
    assert (kept.ratio, kept.tolerance) == (1.0, tolerance)


def test_a_record_is_kept_beside_the_others(tmp_path: Path):
    file = tmp_path / "recorded.json"
    recorded.write([result([80], [100])], file)
    before = recorded.read(file)
    recorded.write([], file)
    assert recorded.read(file) == before == {"drain": Record.of(result([80], [100]))}
    recorded.write([result([50], [100])], file)
    assert recorded.read(file) == {"drain": Record.of(result([50], [100]))}


def test_a_figure_that_stands_alone_is_held_against_its_goal_and_not_compared():
    alone = result([60], more_is_better=False, must=90)
    assert "must 90 ✓" in report.line(alone)
    assert "ratio" not in report.line(alone)
    assert fell_behind([alone], {"drain": Record.of(alone)}) == []
    assert Record.of(alone).share_of(90) == 1.5


@pytest.mark.parametrize("is_compared", [True, False])
def test_each_side_is_measured_once_before_it_counts(is_compared: bool):
    measured = list[str]()

    def side(name: str) -> Side:
        def measure() -> float:
            measured.append(name)
            return 7.0

        return Side(name, measure)

    it = Comparison(
        name="drain", unit="tasks/s", ours=side("ours"), reference=side("reference") if is_compared else None
    )
    *each, last = compared(it, repeats=3)
    assert len(each) == len(measured) == steps(it, repeats=3)
    assert last
    assert last.ours.all == [7.0] * 3
    assert last.reference.all == [7.0] * (3 if is_compared else 0)


def test_the_page_shows_what_was_recorded():
    records = recorded.read()
    assert page.with_figures(page.PAGE.read_text(), records) == page.PAGE.read_text()
    assert page.picture(records) == page.PICTURE.read_text()
    assert all(f"| {name} |" in page.PAGE.read_text() for name in records)


def test_a_figure_is_shown_beside_its_reference_and_its_goals():
    text = f"before {page.BEGIN} old {page.END} after"
    shown = page.with_figures(text, {"drain": Record.of(result([50], [100], must=0.45))})
    assert "| drain | a side: 50 tasks/s ±0% | a side: 100 tasks/s ±0% | **0.50** | 0.45 ✓ |  |" in shown
    assert re.fullmatch("before .* after", shown, re.DOTALL)
    assert "old" not in shown
