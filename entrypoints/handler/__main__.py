"""`python -m entrypoints.handler`: claim and run tasks, until SIGTERM or SIGINT."""

from entrypoints.stop_signals import StopSignals


def main() -> None:
    """Run until told to stop, which ends this process at once while it starts."""
    signals = StopSignals()
    from entrypoints.handler.handler import run  # Imported here, since it takes most of the start.

    run(signals)


if __name__ == "__main__":
    main()
