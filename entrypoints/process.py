"""What every process does when it starts: settings, logging, the database's tables. What is wrong is said at once."""

import gc
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

from application.errors import StorageUnavailable
from entrypoints import parent_pipes
from entrypoints.settings import ConfigurationError, Settings

if TYPE_CHECKING:
    from entrypoints.containers.postgres_storage import PostgresStorage

CONFIGURATION_EXIT_CODE = 2
"""The exit code that says: starting again will not help."""
COLLECT_AFTER_OBJECTS = 20_000
"""After so many a collector looks for garbage: more than most requests make, or than a thousand tasks in hand are."""
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 2.0
log = logging.getLogger(__name__)


def start(name: str) -> Settings:
    """The settings of this process. Where a variable is wrong, it ends with a sentence."""
    parent_pipes.hold()
    configure_logging(name)
    try:
        settings = Settings.from_environment(os.environ)
        settings.required_database_url  # noqa: B018
        return settings
    except ConfigurationError as error:
        raise stop(error) from None


def stop(reason: object) -> SystemExit:
    """Says the sentence; what it answers ends the process when it is raised."""
    print(f"flask-tasks: {reason}", file=sys.stderr, flush=True)  # noqa: T201
    return SystemExit(CONFIGURATION_EXIT_CODE)


def configure_logging(name: str) -> None:
    """One line an event, on standard error, with the process's name."""
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format=f"%(asctime)s {name} %(levelname)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)


def prepare_database(storage: "PostgresStorage") -> None:
    """After: the tables are there, and the clock is measured. Waits for a database that is away."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            if storage.migrate()():
                log.info("the tables are up to date")
            storage.clock().measure()
            return
        except StorageUnavailable as error:
            log.warning("the database is away, trying again in %.1f s: %s", pause, why(error))
            time.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)


def spare_the_collector() -> None:
    """What is there by now stays: to look through it for garbage would take a quarter of the time of a long request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS)


def why(error: BaseException) -> str:
    """The first line of what the driver said."""
    cause = error.__cause__
    cause = getattr(cause, "orig", None) or cause or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
