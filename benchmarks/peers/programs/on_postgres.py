"""What those programs share whose peer keeps its tasks in PostgreSQL: three statements say it all."""

from typing import Any, LiteralString

import psycopg

from benchmarks.peers.programs.program import Program


class OnPostgres(Program):
    """`tables` hold its tasks, `fill` stores so many of a name and tells the workers, `some_left` asks for the rest."""

    tables: LiteralString
    fill: LiteralString
    some_left: LiteralString

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.connection = psycopg.connect(address, autocommit=True)

    def preload(self, number: int) -> None:
        """They are stored in a transaction that is yet to be committed."""
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
        """The first value of the answer, if there is one."""
        cursor = self.connection.execute(statement, values or None)
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]
