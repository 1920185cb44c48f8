"""The short form: twenty seconds of chaos with a fixed seed, in which every promise holds."""

import sys
from pathlib import Path

from tests.chaos.experiment import run_experiment
from tests.chaos.report import describe_violations, summary

SEED, SECONDS = 968, 20.0


def print_line(line: str) -> None:
    """Print a line for the report of a test that fails."""
    sys.stdout.write(f"{line}\n")


def test_every_promise_holds_in_chaos(tmp_path: Path):
    print_line(f"seed {SEED}; a longer experiment: python3 run.py chaos 300 {SEED}")
    result = run_experiment(tmp_path, SEED, SECONDS, print_line)
    print_line(summary(result))
    assert "\n\n".join(describe_violations(result)) == ""
    assert len(result.tasks) > 30
    assert result.actions.total() > 10
