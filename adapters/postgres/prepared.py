"""Prepared statements: the hot ones are planned once a session, as planning a claim takes longer than executing it."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from typing import Any

import psycopg2.errors
from sqlalchemy import Connection, Engine, TextClause, event
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from application.errors import StorageConflict

SHARED_SESSION_ERRORS = (
    psycopg2.errors.InvalidSqlStatementName,
    psycopg2.errors.DuplicatePreparedStatement,
    psycopg2.errors.FeatureNotSupported,
)
"""Errors of a prepared statement that is missing, is there already, or does not fit any more.

In the first two cases the session is shared with other clients through a pooler. In the last one a migration has
changed the type of a column since the statement was prepared.
"""
PLANNED_FOR = "limit"
"""The parameter whose value the planner has to see: a statement is prepared once for each of its few values."""
_PARAMETER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement under a unique name.

    `prepare`: the command that prepares it.
    `execute`: the command that executes it, with the driver's parameters.
    """

    name: str
    prepare: str
    execute: str

    @classmethod
    @cache
    def of(cls, statement: str, limit: int | None) -> "Prepared":
        """Return the statement, given as the driver takes it, prepared for this value of the parameter PLANNED_FOR."""
        statement = statement.replace(f"%({PLANNED_FOR})s", str(limit))
        names = list(dict.fromkeys(_PARAMETER.findall(statement)))
        text = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement).replace("%%", "%")
        name = f"flask_tasks_{sha1(text.encode(), usedforsecurity=False).hexdigest()}"
        values = ", ".join(f"%({each})s" for each in names)
        return cls(name, f"PREPARE {name} AS {text}", f"EXECUTE {name} ({values})" if names else f"EXECUTE {name}")


class Preparation:
    """Prepares hot statements when they are first sent over a connection, and has them executed from then on.

    The first of SHARED_SESSION_ERRORS fails its transaction as a conflict. After it nothing is prepared any more, so
    that the service works behind a pooler that hands sessions from one client to another, and across migrations.
    """

    def __init__(self, statements: Collection[TextClause]) -> None:
        self._hot = {for_the_driver(each) for each in statements}

    def to_send(self, statement: str, limit: int | None, cursor: Any, prepared: set[str]) -> str:
        """Return the text to send for the statement, with the same parameters.

        `prepared`: the names that this session knows; a statement that it needs is prepared and added.
        """
        if statement not in self._hot:
            return statement
        wanted = Prepared.of(statement, limit)
        if wanted.name not in prepared:
            cursor.execute(wanted.prepare)
            prepared.add(wanted.name)
        return wanted.execute

    def note_failure(self, error: BaseException | None) -> None:
        """Stop preparing if this error of a statement is one of SHARED_SESSION_ERRORS."""
        if isinstance(error, SHARED_SESSION_ERRORS):
            self._hot = set()

    def attach(self, engine: Engine) -> None:
        """Prepare the hot statements on all connections of the engine."""
        event.listen(engine, "before_cursor_execute", self._before, retval=True)
        event.listen(engine, "handle_error", lambda failure: self.note_failure(failure.original_exception))

    def _before(
        self, connection: Connection, cursor: Any, statement: str, parameters: Any, context: object, many: bool
    ) -> tuple[str, Any]:
        prepared: set[str] = connection.info.setdefault("prepared", set())
        limit = parameters.get(PLANNED_FOR) if isinstance(parameters, dict) else None
        try:
            return self.to_send(statement, limit, cursor, prepared), parameters
        except SHARED_SESSION_ERRORS as error:
            self.note_failure(error)
            raise StorageConflict from error
        except psycopg2.OperationalError as error:
            connection.invalidate(error)
            raise


@cache
def for_the_driver(statement: TextClause) -> str:
    """Return the text of the statement, with its parameters as psycopg2 names them."""
    return str(statement.compile(dialect=PGDialect_psycopg2()))  # type: ignore[no-untyped-call]
