"""Benchmarks: what has become slower is noticed, and what stands alone has no ratio."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import recorded, report
from benchmarks.comparison import Comparison, Figures, Result, Side, compared, steps
from benchmarks.recorded import Recorded, fell_behind


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
    assert bool(fell_behind([measured], {"drain": Recorded(1.0, 0.25)})) == is_behind


def test_it_is_told_by_how_much():
    assert fell_behind([result([50], [100])], {"drain": Recorded(1.0, 0.25)}) == [
        "drain: the ratio is 0.50, 50% worse than the recorded 1.00; 25% would be chance"
    ]


def test_what_was_never_recorded_is_said_to_be_so():
    assert fell_behind([result([1], [1])], {}) == [
        "drain: nothing is recorded to compare its ratio with; --record does"
    ]


@pytest.mark.parametrize(
    ("ours", "tolerance"),
    [([100, 100, 100], 0.25), ([90, 100, 110], 0.4), ([50, 100, 150], 0.6)],
    ids=["steady", "shaky", "wild"],
)
def test_the_more_its_figures_differ_the_more_is_tolerated(ours: Sequence[float], tolerance: float):
    assert recorded.recorded(result(ours, [100])) == Recorded(1.0, tolerance)


def test_a_record_is_kept_beside_the_others(tmp_path: Path):
    file = tmp_path / "recorded.json"
    file.write_text('{"drain": {"ratio": 1, "tolerance": 1}, "claim": {"ratio": 2, "tolerance": 0.3}}')
    recorded.write([result([50], [100])], file)
    assert recorded.read(file) == {"claim": Recorded(2, 0.3), "drain": Recorded(0.5, 0.25)}


def test_a_figure_that_stands_alone_is_held_against_its_goal_and_neither_recorded_nor_compared(tmp_path: Path):
    alone = result([60], more_is_better=False, must=90)
    assert "must 90 ✓" in report.line(alone)
    assert "ratio" not in report.line(alone)
    assert recorded.recorded(alone) is None
    assert fell_behind([alone], {}) == []


@pytest.mark.parametrize("is_compared", [True, False])
def test_each_side_is_measured_once_before_it_counts(is_compared: bool):
    measured = list[str]()

    def side(name: str) -> Side:
        return Side(name, lambda: measured.append(name) or 7.0)

    it = Comparison(
        name="drain", unit="tasks/s", ours=side("ours"), reference=side("reference") if is_compared else None
    )
    *each, last = compared(it, repeats=3)
    assert len(each) == len(measured) == steps(it, repeats=3)
    assert last
    assert last.ours.all == [7.0] * 3
    assert last.reference.all == [7.0] * (3 if is_compared else 0)
