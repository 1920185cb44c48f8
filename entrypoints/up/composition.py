"""What `up` needs of the containers: a server where there is no database, and tables in it."""

from dataclasses import replace
from pathlib import Path

from entrypoints import process
from entrypoints.containers.embedded import EmbeddedContainer
from entrypoints.containers.postgres_storage import PostgresStorage
from entrypoints.settings import Settings
from entrypoints.up.errors import Refused
from entrypoints.up.server import Server

DATA = Path(".data")
"""In the working directory, which run.py makes the checkout."""


def embedded_postgres() -> Server:
    """The server that keeps its data beside the code."""
    return EmbeddedContainer.embedded_postgres(DATA)


def prepare(settings: Settings, url: str) -> None:
    """After: the tables are there. Waits for a database that is away; Refused where they cannot be made.

    In this process: where there is nothing to do, starting another would be most of the time that up takes.
    """
    storage = PostgresStorage(settings=replace(settings, database_url=url))
    try:
        process.prepare_database(storage)
    except Exception as error:
        raise Refused(f"the tables could not be brought up to date: {process.why(error)}") from error
    finally:
        storage.shutdown_resources()
