"""`python -m entrypoints.migrate`: bring the tables up to date, and end."""

import signal

from entrypoints.stop_signals import StopSignals

STOPPED_EXIT_CODE = 128 + signal.SIGTERM
"""The exit code of a migration that was told to stop: not 0, since the tables may be out of date."""


def main() -> None:
    """Bring the tables up to date; wait for a database that is away."""
    StopSignals(STOPPED_EXIT_CODE)
    # Imported here, since it takes most of the start.
    from entrypoints import startup
    from entrypoints.containers.postgres_storage import PostgresStorage

    storage = PostgresStorage(settings=startup.start("migrate"))
    startup.prepare_database(storage)
    storage.shutdown_resources()


if __name__ == "__main__":
    main()
