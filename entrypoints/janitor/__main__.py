"""`python -m entrypoints.janitor`: do the chores of a janitor and send callbacks, until SIGTERM or SIGINT."""

from entrypoints.stop_signals import StopSignals


def main() -> None:
    """Run until told to stop, which ends this process at once while it starts."""
    signals = StopSignals()
    from entrypoints.janitor.janitor import run  # Imported here, since it takes most of the start.

    run(signals)


if __name__ == "__main__":
    main()
