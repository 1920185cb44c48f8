"""Tell a database that cannot be used, however often it is tried, from one that is away for now."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg2
import psycopg2.errors
from sqlalchemy import Connection, text

from application.errors import StorageConflict, StorageUnusable

MIN_SERVER_VERSION = 130_000
"""The oldest server that is supported, as libpq numbers it."""
TABLES = (
    "tasks",
    "api_keys",
    "attempts",
    "batch_count_changes",
    "batch_deliveries",
    "batches",
    "changed_parents",
    "deliveries",
    "dependencies",
    "handlers",
    "janitors",
    "request_rates",
    "reruns",
    "schedules",
    "task_count_changes",
    "task_event_counts",
    "task_event_totals",
    "task_events_added",
    "task_failures",
    "task_terms",
    "task_types",
    "type_limits",
)
UNUSABLE_TABLES = text("""
    SELECT name, to_regclass(name) IS NULL AS is_missing FROM unnest(:tables) AS needed (name)
    WHERE to_regclass(name) IS NULL OR EXISTS (
        SELECT FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS needed_right (right_to)
        WHERE NOT has_table_privilege(to_regclass(name), right_to)
    )
""")

HOLDS_NOTHING_ELSE = "use a database, or a schema, that holds nothing else"
CORRECT = "correct the address"
ADDRESS_CURES: Mapping[str, str] = {
    "authentication failed|no password supplied|no such user": "correct the user or the password in the address",
    'role ".*" does not exist': "create the role, or name another one in the address",
    "is not permitted to log in": "ALTER ROLE … LOGIN, or name another one in the address",
    'database ".*" does not exist|no such database': "create the database, or name another one in the address",
    "is not currently accepting connections": "ALTER DATABASE … ALLOW_CONNECTIONS true, or name another one",
    "permission denied for database": "GRANT CONNECT ON DATABASE … TO the role",
    r"pg_hba\.conf": "let pg_hba.conf of the server admit this role from this host, or change sslmode in the address",
    "invalid URI query parameter": "leave it out (libpq sets a schema by options=-csearch_path%3D…)",
    "invalid dsn|invalid integer value|invalid [a-z_]+ value: |invalid port number|invalid connection option": CORRECT,
    "could not match|definition of service|requirement failed|encryption required|binding required": CORRECT,
    "unrecognized configuration parameter|(invalid value for|denied to set) parameter": CORRECT,
    "requires a value|invalid command-line argument": CORRECT,
    "invalid response to SSL negotiation|expected authentication request|unsupported frontend protocol": (
        "no PostgreSQL listens there; correct the host or the port in the address"
    ),
    "certificate verify failed|server certificate|certificate file|private key file|unknown ca|certificate required": (
        "give the address the right sslrootcert, sslcert and sslkey, or another sslmode"
    ),
    "server does not support SSL": "turn ssl on in the server, or choose another sslmode in the address",
}
"""A cure for each failure to connect that trying again does not mend, by what the message has in it.

The driver hands on no codes of these failures, so one in another language than English is taken for a passing one.
"""
STATEMENT_CURES: Mapping[type[psycopg2.Error], str] = {
    psycopg2.errors.InsufficientPrivilege: "GRANT it to the role (CREATE on its schema, or SELECT, INSERT, UPDATE and "
    "DELETE on the tables), or connect as their owner",
    psycopg2.errors.InvalidSchemaName: "create the schema that search_path names, or correct search_path",
}
PERMANENT_ERRORS = (
    psycopg2.ProgrammingError,
    psycopg2.NotSupportedError,
    psycopg2.IntegrityError,
    psycopg2.DataError,
    psycopg2.errors.RaiseException,
)
"""Errors of a statement of the migration that fails again."""
ATTEMPT = re.compile(
    r'connection to server (?:at|on socket) ("[^"]*")(?: \([^)]*\))?((?:, port \d+)?) failed: '
    r"(.*?)(?=\nconnection to server |\Z)",
    re.DOTALL,
)
"""What libpq says of one attempt to connect: the host, its port, and the failure."""


@contextmanager
def usable_database() -> Iterator[None]:
    """Raise StorageUnusable where an error of the block means that trying again does not help."""
    try:
        yield
    except StorageConflict:
        raise
    except Exception as error:
        for cause in _causes(error):
            if isinstance(cause, psycopg2.Error) and (unusable := _unusable(cause)):
                raise unusable from error
        raise


def check_version(connection: Connection) -> None:
    """Raise StorageUnusable if the server is too old."""
    version = connection.connection.dbapi_connection.server_version  # type: ignore[union-attr]
    if version < MIN_SERVER_VERSION:
        raise StorageUnusable(
            f"the server is PostgreSQL {version // 10_000}",
            f"use PostgreSQL {MIN_SERVER_VERSION // 10_000} or a newer one",
        )


def check_tables(connection: Connection) -> None:
    """Raise StorageUnusable if one of the tables, whose migration is done, is not there or may not be used."""
    unusable = connection.execute(UNUSABLE_TABLES, {"tables": list(TABLES)}).all()
    if missing := ", ".join(name for name, is_missing in unusable if is_missing):
        raise StorageUnusable(
            f"it has a table alembic_version of another program, and no {missing}", HOLDS_NOTHING_ELSE
        )
    if forbidden := ", ".join(name for name, _ in unusable):
        raise StorageUnusable(
            f"the role may not read and write {forbidden}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA … TO the role",
        )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, those within SQLAlchemy's errors included."""
    while error:
        yield error
        error = getattr(error, "orig", None) or error.__cause__


def _unusable(error: psycopg2.Error) -> StorageUnusable | None:
    if error.pgcode is None:
        return _unusable_address(str(error).strip())
    if not isinstance(error, PERMANENT_ERRORS):
        return None
    cure = next((cure for kind, cure in STATEMENT_CURES.items() if isinstance(error, kind)), HOLDS_NOTHING_ELSE)
    return StorageUnusable(str(error.diag.message_primary), cure)


def _unusable_address(message: str) -> StorageUnusable | None:
    """None if one of several hosts may be usable later. The last attempt at a host decides: it may have addresses."""
    if "could not translate host name" in message:
        return None
    failures = {host + port: failure for host, port, failure in ATTEMPT.findall(message)} or {"": message}
    cures = [_address_cure(failure) for failure in failures.values()]
    host, failure = next(iter(failures.items()))
    problem = failure.partition("\n")[0].removeprefix("FATAL:").strip()
    return StorageUnusable(f"{problem} ({host})" if host else problem, cures[0]) if cures[0] and all(cures) else None


def _address_cure(failure: str) -> str | None:
    return next((cure for pattern, cure in ADDRESS_CURES.items() if re.search(pattern, failure)), None)
