"""An administrator of the database, who changes what only the service should."""

from sqlalchemy import text

from adapters.postgres import Database


class Administrator:
    """An administrator who writes to the tables. Leaving undoes the changes of the tables themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._undo: list[str] = []

    def writes(self, statement: str, undo: str | None = None) -> None:
        self._undo += [undo] if undo else []
        with self._database.engine.begin() as connection:
            connection.execute(text(statement.replace(":", "\\:")))

    def sets(self, change: str, id: int = 2) -> None:
        self.writes(f"UPDATE tasks SET {change} WHERE id = {id}")

    def refuses(self, verb: str, table: str, when: str, by: str = "RAISE 'the trigger refuses'") -> None:
        """Create a trigger that refuses a change of rows by this statement."""
        self.writes(
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {by}; RETURN NEW; END $$; "
            f"CREATE TRIGGER refuse BEFORE {verb} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse()",
            undo=f"DROP TRIGGER refuse ON {table}; DROP FUNCTION refuse()",
        )

    def leave(self) -> None:
        while self._undo:
            self.writes(self._undo.pop())
