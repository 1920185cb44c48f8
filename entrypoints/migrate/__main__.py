"""`python -m entrypoints.migrate`: bring the tables up to date, and end."""

from entrypoints import startup
from entrypoints.containers.postgres_storage import PostgresStorage


def main() -> None:
    """Bring the tables up to date; wait for a database that is away."""
    storage = PostgresStorage(settings=startup.start("migrate"))
    startup.prepare_database(storage)
    storage.shutdown_resources()


if __name__ == "__main__":
    main()
