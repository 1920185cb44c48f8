"""Hot statements are planned once a session: to plan a claim takes the server longer than to carry it out."""

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
"""What was prepared is not there, or is there already: the session is not ours alone, but a pooler's.

Or it would answer columns of another type than when it was prepared: the tables are of a newer version since.
"""
PLANNED_FOR = "limit"
"""The parameter that the planner has to see: one statement is prepared for each value, of which there are few."""
_PARAMETER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement under a name that no other has, and how it is prepared and carried out."""

    name: str
    prepare: str
    execute: str

    @classmethod
    @cache
    def of(cls, statement: str, limit: int | None) -> "Prepared":
        """The statement as it is handed to the driver, with the value of the parameter that has to be seen."""
        statement = statement.replace(f"%({PLANNED_FOR})s", str(limit))
        names = list(dict.fromkeys(_PARAMETER.findall(statement)))
        text = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement).replace("%%", "%")
        name = f"flask_tasks_{sha1(text.encode(), usedforsecurity=False).hexdigest()}"
        values = ", ".join(f"%({each})s" for each in names)
        return cls(name, f"PREPARE {name} AS {text}", f"EXECUTE {name} ({values})" if names else f"EXECUTE {name}")


class Preparation:
    """Prepares these statements where they are first sent over a connection, and then has them executed.

    A pooler that hands sessions from one client to another is found out by the first statement that is missing, and a
    migration by the first that does not fit any more. Its transaction is a conflict, and from then on nothing is
    prepared any more.
    """

    def __init__(self, statements: Collection[TextClause]) -> None:
        self._hot = {for_the_driver(each) for each in statements}

    def to_send(self, statement: str, limit: int | None, cursor: Any, known: set[str]) -> str:
        """What to send for it, with the same parameters; after: `known` to this session is what that needs."""
        if statement not in self._hot:
            return statement
        prepared = Prepared.of(statement, limit)
        if prepared.name not in known:
            cursor.execute(prepared.prepare)
            known.add(prepared.name)
        return prepared.execute

    def see(self, error: BaseException | None) -> None:
        """What was sent has failed with that."""
        if isinstance(error, SHARED_SESSION_ERRORS):
            self._hot = set()

    def serve(self, engine: Engine) -> None:
        """All that is sent over its connections."""
        event.listen(engine, "before_cursor_execute", self._before, retval=True)
        event.listen(engine, "handle_error", lambda failure: self.see(failure.original_exception))

    def _before(
        self, connection: Connection, cursor: Any, statement: str, parameters: Any, context: object, many: bool
    ) -> tuple[str, Any]:
        known: set[str] = connection.info.setdefault("prepared", set())
        limit = parameters.get(PLANNED_FOR) if isinstance(parameters, dict) else None
        try:
            return self.to_send(statement, limit, cursor, known), parameters
        except SHARED_SESSION_ERRORS as error:
            self.see(error)
            raise StorageConflict from error
        except psycopg2.OperationalError as error:
            connection.invalidate(error)
            raise


@cache
def for_the_driver(statement: TextClause) -> str:
    """With its parameters named in the driver's way."""
    return str(statement.compile(dialect=PGDialect_psycopg2()))  # type: ignore[no-untyped-call]
