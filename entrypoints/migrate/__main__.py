"""`python -m entrypoints.migrate`: brings the tables up to date, waits for a database that is away, and ends."""

from entrypoints import process
from entrypoints.container import Container


def main() -> None:
    """After: the tables are those that this code works with."""
    container = Container(settings=process.start("migrate"))
    process.prepare_database(container)
    container.database().close()


if __name__ == "__main__":
    main()
