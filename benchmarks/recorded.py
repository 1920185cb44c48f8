"""The ratios that were recorded, and which of those measured have fallen behind theirs.

Figures without a reference are left out: those of two machines do not compare.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.comparison import Result

FILE = Path(__file__).with_name("recorded.json")
LEAST_TOLERANCE, MOST_TOLERANCE = 0.25, 0.6
SPREADS = 4
"""How many times as far from the recorded ratio as its figures lay from their medians is still no news."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A ratio, and by which share of it another run may be worse."""

    ratio: float
    tolerance: float


def recorded(result: Result) -> Recorded | None:
    """What to keep of a result; None of one without a reference."""
    if result.ratio is None:
        return None
    tolerance = min(max(SPREADS * result.spread, LEAST_TOLERANCE), MOST_TOLERANCE)
    return Recorded(round(result.ratio, 4), round(tolerance, 2))


def fell_behind(results: Sequence[Result], records: Mapping[str, Recorded]) -> Sequence[str]:
    """A sentence for each result that is worse than its record by more than the tolerance, or has none."""
    return [said for result in results if (said := _verdict(result, records.get(result.comparison.name)))]


def _verdict(result: Result, record: Recorded | None) -> str | None:
    name, ratio = result.comparison.name, result.ratio
    if ratio is None:
        return None
    if record is None:
        return f"{name}: nothing is recorded to compare its ratio with; --record does"
    worse_by = 1 - (ratio / record.ratio if result.comparison.more_is_better else record.ratio / ratio)
    if worse_by <= record.tolerance:
        return None
    return (
        f"{name}: the ratio is {ratio:.2f}, {worse_by:.0%} worse than the recorded {record.ratio:.2f}; "
        f"{record.tolerance:.0%} would be chance"
    )


def read(file: Path = FILE) -> Mapping[str, Recorded]:
    """What was recorded, by the names of comparisons."""
    kept = json.loads(file.read_text()) if file.exists() else {}
    return {name: Recorded(**record) for name, record in kept.items()}


def write(results: Sequence[Result], file: Path = FILE) -> None:
    """After: these are recorded, and others still as they were."""
    new = {result.comparison.name: record for result in results if (record := recorded(result))}
    kept = {name: asdict(record) for name, record in sorted((dict(read(file)) | new).items())}
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
