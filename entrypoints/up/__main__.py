"""`python -m entrypoints.up`: run the whole service on this machine, until Ctrl-C."""

import sys

from entrypoints.up.interrupts import Interrupt, Interrupts


def main() -> int:
    """Run until a signal. The exit status."""
    interrupts = Interrupts()
    try:
        # Imported here because that takes half a second, in which Ctrl-C has to end this process properly too.
        from entrypoints.up.command import run

        return run(interrupts)
    except Interrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
