"""JSON of statistics in answers."""

import json
from collections.abc import Sequence
from typing import Any

from application.use_cases.view_statistics import Series, Statistics

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def stats_json(statistics: Statistics, *, with_histograms: bool) -> str:
    """Make the JSON of statistics, with the histograms of durations if wanted."""
    period = statistics.period
    return _json(
        {
            "since": int(period.since.timestamp()),
            "until": int(period.until.timestamp()),
            "step": int(period.step.total_seconds()),
            "total": _series(statistics.total, with_histograms),
            "types": [{"type": type} | _series(each, with_histograms) for type, each in statistics.types.items()],
        }
    )


def _series(series: Series, with_histograms: bool) -> dict[str, Any]:
    durations = {"wait": series.wait, "run": series.run}
    columns: dict[str, Any] = {event.value: numbers for event, numbers in series.counts.items()}
    for name, of in durations.items():
        columns |= {f"{name}_median": _rounded(of.medians), f"{name}_p99": _rounded(of.p99s)}
    if with_histograms:
        columns |= {f"{name}_histograms": of.histograms for name, of in durations.items()}
    return columns


def _rounded(seconds: Sequence[float | None]) -> Sequence[float | None]:
    """The numbers to four significant digits: they are known to a fifth of their size."""
    return [None if each is None else float(f"{each:.4g}") for each in seconds]
