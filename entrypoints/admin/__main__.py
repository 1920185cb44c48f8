"""`python -m entrypoints.admin`: one command of an operator, and end."""

import sys

from entrypoints.admin.command_line import command_line


def main() -> None:
    """Run the command of the command line, and end with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal may lack characters of the texts of users.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    command_line(prog_name="python -m entrypoints.admin")


if __name__ == "__main__":
    main()
