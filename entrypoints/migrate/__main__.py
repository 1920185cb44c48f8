"""`python -m entrypoints.migrate`: brings the tables up to date, waits for a database that is away, and ends."""

from entrypoints import process


def main() -> None:
    """After: the tables are those that this code works with."""
    container = process.start("migrate")
    process.prepare_database(container)
    container.clock().close()


if __name__ == "__main__":
    main()
