"""The encoding of the database: only one holds every character."""

from sqlalchemy import Connection

from application.errors import StorageUnusable

UNICODE = "UTF8"


def check_encoding(connection: Connection) -> None:
    """Raise StorageUnusable if the database cannot hold every character."""
    # The server has told its encoding with its greeting; a pooler may leave it out.
    encoding = connection.connection.dbapi_connection.get_parameter_status("server_encoding")  # type: ignore[union-attr]
    if encoding not in (UNICODE, None):
        raise StorageUnusable(
            f"its encoding is {encoding}, which cannot hold every character",
            f"create another one with CREATE DATABASE … ENCODING '{UNICODE}' TEMPLATE template0",
        )
