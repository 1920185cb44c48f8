"""The recorded comparisons: the page shows them, and `--check` finds ratios that have fallen behind them.

Figures without a reference are shown, but not compared: those of two machines do not compare.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparison import Figures, Result

FILE = Path(__file__).with_name("recorded.json")
MIN_TOLERANCE, MAX_TOLERANCE = 0.25, 0.6
TOLERATED_SPREADS = 4
"""The tolerance of a ratio, in spreads of its figures."""


@dataclass(frozen=True, slots=True)
class Figure:
    """The name of a side, its median, and its spread as a share of the median."""

    what: str
    median: float
    spread: float

    @classmethod
    def of(cls, what: str, figures: Figures) -> "Figure":
        """The summary of the figures of one side."""
        return cls(what, float(f"{figures.median:.4g}"), round(figures.spread, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A recorded comparison. `tolerance` is the share of the ratio by which another run may be worse."""

    unit: str
    ours: Figure
    reference: Figure | None = None
    ratio: float | None = None
    tolerance: float = MIN_TOLERANCE
    more_is_better: bool = True
    must: float | None = None
    aim: float | None = None
    note: str = ""

    @classmethod
    def of(cls, result: Result) -> "Record":
        """The record of a result."""
        comparison, reference = result.comparison, result.comparison.reference
        return cls(
            unit=comparison.unit,
            ours=Figure.of(comparison.ours.name, result.ours),
            reference=None if reference is None else Figure.of(reference.name, result.reference),
            ratio=None if result.ratio is None else round(result.ratio, 4),
            tolerance=round(min(max(TOLERATED_SPREADS * result.spread, MIN_TOLERANCE), MAX_TOLERANCE), 2),
            more_is_better=comparison.more_is_better,
            must=comparison.must,
            aim=comparison.aim,
            note=comparison.note,
        )

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Record":
        """The record that was written as this JSON object."""
        reference = kept.get("reference")
        sides = {"ours": Figure(**kept["ours"]), "reference": reference and Figure(**reference)}
        return cls(**dict(kept) | sides)

    @property
    def reached(self) -> float:
        """The value to compare with the goals: the ratio, or the figure without a reference."""
        return self.ours.median if self.ratio is None else self.ratio

    def share_of(self, goal: float) -> float:
        """The share of the goal that is reached; 1 or more reaches it."""
        return self.reached / goal if self.more_is_better else goal / self.reached


def fell_behind(results: Sequence[Result], records: Mapping[str, Record]) -> Sequence[str]:
    """A sentence for each result that is worse than its record by more than the tolerance, or has no record."""
    return [said for result in results if (said := _verdict(result, records.get(result.comparison.name)))]


def _verdict(result: Result, record: Record | None) -> str | None:
    name, ratio = result.comparison.name, result.ratio
    if ratio is None:
        return None
    if record is None or record.ratio is None:
        return f"{name}: nothing is recorded to compare its ratio with; --record does"
    worse_by = 1 - (ratio / record.ratio if result.comparison.more_is_better else record.ratio / ratio)
    if worse_by <= record.tolerance:
        return None
    return (
        f"{name}: the ratio is {ratio:.2f}, {worse_by:.0%} worse than the recorded {record.ratio:.2f}; "
        f"{record.tolerance:.0%} would be chance"
    )


def read(file: Path = FILE) -> Mapping[str, Record]:
    """The records by the names of comparisons, in the order of recording."""
    kept = json.loads(file.read_text()) if file.exists() else {}
    return {name: Record.read(record) for name, record in kept.items()}


def write(results: Sequence[Result], file: Path = FILE) -> None:
    """Record these results; other records stay as they are."""
    records = dict(read(file)) | {result.comparison.name: Record.of(result) for result in results}
    kept = {name: asdict(record) for name, record in records.items()}
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
