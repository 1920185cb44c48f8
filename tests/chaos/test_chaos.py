"""The short form: twenty seconds of chaos with a fixed seed, in which every promise holds."""

import sys
from pathlib import Path

from tests.chaos.report import broken, summary
from tests.chaos.trial import trial

SEED, SECONDS = 20, 20.0


def say(line: str) -> None:
    """For the report of a test that fails."""
    sys.stdout.write(f"{line}\n")


def test_every_promise_holds_in_chaos(tmp_path: Path):
    say(f"seed {SEED}; a longer trial: python3 run.py chaos 300 {SEED}")
    outcome = trial(tmp_path, SEED, SECONDS, say)
    say(summary(outcome))
    assert "\n\n".join(broken(outcome)) == ""
    assert len(outcome.tasks) > 30
    assert outcome.done.total() > 10
