"""Errors of the command line: each is one sentence."""

import click

from application.errors import ApplicationError, OutdatedTables, StorageConflict, StorageUnavailable, driver_message
from domain.errors import DomainError
from entrypoints.startup import CONFIGURATION_EXIT_CODE


class WrongConfiguration(click.ClickException):
    """A variable is wrong: the exit code is the same as that of the other processes."""

    exit_code = CONFIGURATION_EXIT_CODE


def sentence(error: Exception) -> str:
    """What to tell the operator about an error."""
    match error:
        case OutdatedTables():
            return f"{error} (the command migrate does it, and so does each process that starts)"
        case StorageConflict():
            return str(error)
        case StorageUnavailable():
            return f"the database is away: {driver_message(error)}"
        case ApplicationError() | DomainError() | RuntimeError():  # The embedded server raises the latter.
            return str(error)
        case _:
            return f"{type(error).__name__}: {driver_message(error)}"
