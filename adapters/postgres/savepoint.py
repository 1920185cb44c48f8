"""Savepoints: a part of a transaction that may fail alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from adapters.postgres.driver_errors import is_systemic, translated_errors
from application.errors import StatementRefused


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """Undo the changes of the block if it raises; the transaction goes on.

    Raises what translated_errors raises.
    Raises StatementRefused: no row is to blame for the error.
    """
    try:
        with translated_errors(), connection.begin_nested():
            yield
    except DBAPIError as error:
        if is_systemic(error):
            raise StatementRefused from error
        raise
