"""The long form: `python -m tests.chaos [seconds] [seed]` prints its seed, what it does, and what became of it."""

import secrets
import sys
from pathlib import Path
from tempfile import mkdtemp

from tests.chaos.report import broken, summary
from tests.chaos.trial import trial

SECONDS = 300.0


def say(line: str) -> None:
    """Print it at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(seconds: str = f"{SECONDS:g}", seed: str = "") -> int:
    """0 if every promise held."""
    number = int(seed) if seed else secrets.randbelow(1_000_000)
    folder = Path(mkdtemp(prefix="chaos-"))
    say(f"seed {number}, {float(seconds):g} seconds; to replay it: python3 run.py chaos {float(seconds):g} {number}")
    say(f"logs are kept in {folder}")
    outcome = trial(folder, number, float(seconds), say)
    found = broken(outcome)
    say(summary(outcome))
    say("\n\n".join([f"{len(found)} violations", *found]) if found else "every promise held")
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
