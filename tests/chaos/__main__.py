"""The long form: `python -m tests.chaos [seconds] [seed]` prints its seed, its actions, and every broken promise."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from secrets import randbelow
from shutil import rmtree
from tempfile import mkdtemp

from tests.chaos.experiment import run_experiment
from tests.chaos.report import describe_violations, summary
from tests.chaos.schedule import WEIGHTS

DEFAULT_SECONDS = 300.0


def print_line(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run an experiment. The exit status: 0 if every promise held."""
    arguments = parse_arguments()
    seconds, seed = arguments.seconds, arguments.seed
    folder = Path(mkdtemp(prefix="chaos-"))
    print_line(f"seed {seed}, {seconds:g} seconds; to repeat it: python3 run.py chaos {seconds:g} {seed}")
    print_line(f"the logs are in {folder}")
    result = run_experiment(folder, seed, seconds, print_line, arguments.only)
    violations = describe_violations(result)
    print_line(summary(result))
    if violations:
        count = f"{len(violations)} violations; to repeat it: python3 run.py chaos {seconds:g} {seed}"
        print_line("\n\n".join([count, *violations]))
        return 1
    print_line("every promise held")
    rmtree(folder)
    return 0


def parse_arguments() -> Namespace:
    """The seconds, the seed and the names of actions of the command line."""
    parser = ArgumentParser("chaos", description="Run the service under faults, and check every promise.")
    parser.add_argument("seconds", type=float, nargs="?", default=DEFAULT_SECONDS, help="its duration; %(default)s")
    parser.add_argument("seed", type=int, nargs="?", default=randbelow(1_000_000), help="of the schedule; random")
    parser.add_argument("--only", choices=WEIGHTS, nargs="+", default=WEIGHTS, metavar="ACTION", help="by default all")
    return parser.parse_args()


if __name__ == "__main__":
    # A terminal without UTF-8 lacks some of the signs.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
