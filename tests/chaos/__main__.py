"""The long form: `python -m tests.chaos [seconds] [seed]` prints its seed, what it does, and what became of it."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from secrets import randbelow
from shutil import rmtree
from tempfile import mkdtemp

from tests.chaos.report import broken, summary
from tests.chaos.trial import trial

SECONDS = 300.0


def say(line: str) -> None:
    """Print it at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """0 if every promise held."""
    seconds, seed = asked()
    folder = Path(mkdtemp(prefix="chaos-"))
    say(f"seed {seed}, {seconds:g} seconds; to replay it: python3 run.py chaos {seconds:g} {seed}")
    say(f"logs are in {folder}")
    outcome = trial(folder, seed, seconds, say)
    found = broken(outcome)
    say(summary(outcome))
    if found:
        say("\n\n".join([f"{len(found)} violations; to replay it: python3 run.py chaos {seconds:g} {seed}", *found]))
        return 1
    say("every promise held")
    rmtree(folder)
    return 0


def asked() -> tuple[float, int]:
    """The seconds and the seed of the command line."""
    parser = ArgumentParser("chaos", description="The service under failures, and a check of every promise.")
    parser.add_argument("seconds", type=float, nargs="?", default=SECONDS, help="how long it lasts; %(default)s")
    parser.add_argument("seed", type=int, nargs="?", default=randbelow(1_000_000), help="what happens; any by default")
    given = parser.parse_args()
    return given.seconds, given.seed


if __name__ == "__main__":
    sys.exit(main())
