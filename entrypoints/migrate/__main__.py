"""`python -m entrypoints.migrate`: brings the tables up to date, waits for a database that is away, and ends."""

from entrypoints import process
from entrypoints.containers.postgres_storage import PostgresStorage


def main() -> None:
    """After: the tables are those that this code works with."""
    storage = PostgresStorage(settings=process.start("migrate"))
    process.prepare_database(storage)
    storage.shutdown_resources()


if __name__ == "__main__":
    main()
