"""Print the progress of the service to the terminal."""

import sys
from contextlib import suppress


def print_line(text: str) -> None:
    """Print a line at once. A terminal that was closed is no error."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
