"""The parts of the containers that `up` uses: the embedded server, and the migration of the tables."""

from dataclasses import replace

from application.errors import driver_message
from entrypoints import startup
from entrypoints.containers.embedded import DATA, EmbeddedContainer
from entrypoints.containers.postgres_storage import PostgresStorage
from entrypoints.settings import Settings
from entrypoints.up.errors import Refused
from entrypoints.up.server import Server


def embedded_postgres() -> Server:
    """The embedded server, whose data are in the folder `.data` beside the code."""
    return EmbeddedContainer.embedded_postgres(DATA)


def prepare_database(settings: Settings, url: str) -> None:
    """Bring the tables up to date; wait for a database that is away.

    This happens in this process: starting another would take most of the time of a start with nothing to migrate.
    Raises Refused: the tables cannot be brought up to date.
    """
    storage = PostgresStorage(settings=replace(settings, database_url=url))
    try:
        startup.prepare_database(storage, refuse)
    except Refused:
        raise
    except Exception as error:
        reason = driver_message(error)
        raise Refused(f"the tables of the database cannot be brought up to date: {reason}") from error
    finally:
        storage.shutdown_resources()


def refuse(reason: str) -> None:
    """Raise Refused: the configuration is wrong."""
    raise Refused(reason, startup.CONFIGURATION_EXIT_CODE)
