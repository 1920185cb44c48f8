"""`python -m entrypoints.migrate`: bring the tables up to date, and end."""

from entrypoints import process
from entrypoints.container import Container


def main() -> None:
    """Bring the tables up to date; wait for a database that is away."""
    container = Container(settings=process.start("migrate"))
    process.prepare_database(container)
    container.database().close()


if __name__ == "__main__":
    main()
