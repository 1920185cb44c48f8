"""What was recorded of each comparison: for the page that shows it, and to see what has fallen behind it.

Figures without a reference are shown, and not compared: those of two machines do not compare.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparison import Figures, Result

FILE = Path(__file__).with_name("recorded.json")
LEAST_TOLERANCE, MOST_TOLERANCE = 0.25, 0.6
SPREADS = 4
"""How many times as far from the recorded ratio as its figures lay from their medians is still no news."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, the median, and how far the others lay from it, as a share."""

    what: str
    median: float
    spread: float

    @classmethod
    def of(cls, what: str, figures: Figures) -> "Figure":
        """The figures of one side."""
        return cls(what, float(f"{figures.median:.4g}"), round(figures.spread, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A comparison as it came out. Another run may be worse than its ratio by that share of it."""

    unit: str
    ours: Figure
    reference: Figure | None = None
    ratio: float | None = None
    tolerance: float = LEAST_TOLERANCE
    more_is_better: bool = True
    must: float | None = None
    aim: float | None = None
    note: str = ""

    @classmethod
    def of(cls, result: Result) -> "Record":
        """What to keep of a result."""
        comparison, reference = result.comparison, result.comparison.reference
        return cls(
            unit=comparison.unit,
            ours=Figure.of(comparison.ours.name, result.ours),
            reference=None if reference is None else Figure.of(reference.name, result.reference),
            ratio=None if result.ratio is None else round(result.ratio, 4),
            tolerance=round(min(max(SPREADS * result.spread, LEAST_TOLERANCE), MOST_TOLERANCE), 2),
            more_is_better=comparison.more_is_better,
            must=comparison.must,
            aim=comparison.aim,
            note=comparison.note,
        )

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Record":
        """As it was written."""
        reference = kept.get("reference")
        sides = {"ours": Figure(**kept["ours"]), "reference": reference and Figure(**reference)}
        return cls(**dict(kept) | sides)

    @property
    def reached(self) -> float:
        """What is held against the goals: the ratio, or the figure that stands alone."""
        return self.ours.median if self.ratio is None else self.ratio

    def share_of(self, goal: float) -> float:
        """How much of the way to that goal it is; 1 and more is there."""
        return self.reached / goal if self.more_is_better else goal / self.reached


def fell_behind(results: Sequence[Result], records: Mapping[str, Record]) -> Sequence[str]:
    """A sentence for each result that is worse than its record by more than the tolerance, or has none."""
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
    """What was recorded, by the names of comparisons, in the order of recording."""
    kept = json.loads(file.read_text()) if file.exists() else {}
    return {name: Record.read(record) for name, record in kept.items()}


def write(results: Sequence[Result], file: Path = FILE) -> None:
    """After: these are recorded, and others still as they were."""
    records = dict(read(file)) | {result.comparison.name: Record.of(result) for result in results}
    kept = {name: asdict(record) for name, record in records.items()}
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
