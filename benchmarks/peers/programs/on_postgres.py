"""The common part of programs whose peer stores its tasks in PostgreSQL: three statements define each."""

from typing import Any, LiteralString

import psycopg

from benchmarks.peers.programs.program import Program


class OnPostgres(Program):
    """A peer on PostgreSQL.

    - `tables`: the tables of its tasks
    - `fill`: the statement that stores a number of tasks of a name, and notifies the workers
    - `some_left`: the query whether any task is left
    """

    tables: LiteralString
    fill: LiteralString
    some_left: LiteralString

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.connection = psycopg.connect(address, autocommit=True)

    def preload(self, number: int) -> None:
        """Store the tasks in a transaction that is not committed yet."""
        self.asked("TRUNCATE " + self.tables + " CASCADE")
        self.asked("BEGIN")
        self.asked(self.fill, name="noop", number=number)

    def release(self) -> None:
        self.asked("COMMIT")

    def left(self) -> bool:
        return bool(self.asked(self.some_left))

    def submit(self) -> None:
        self.asked(self.fill, name="clock", number=1)

    def asked(self, statement: LiteralString, **values: object) -> Any:
        """Run a statement; answers the first value of the first row, or None."""
        cursor = self.connection.execute(statement, values or None)
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]
