"""What the one at the terminal is told."""

import sys
from contextlib import suppress


def say(text: str) -> None:
    """A line, at once. A terminal that has gone is no reason to end."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
