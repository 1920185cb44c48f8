"""Errors of the command line: each is one sentence."""

import click

from application.errors import ApplicationError, OutdatedTables, StorageConflict, StorageUnavailable, driver_message
from entrypoints.startup import CONFIGURATION_EXIT_CODE


class WrongConfiguration(click.ClickException):
    """A variable is wrong: the exit code is the same as that of the other processes."""

    exit_code = CONFIGURATION_EXIT_CODE


def sentence(error: ApplicationError) -> str:
    """What to tell the operator about an error of a use case."""
    match error:
        case OutdatedTables():
            return f"{error} (the command migrate does it, and so does each process that starts)"
        case StorageConflict():
            return str(error)
        case StorageUnavailable():
            return f"the database is away: {driver_message(error)}"
        case _:
            return str(error)
