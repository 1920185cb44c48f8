"""Inspection of PostgreSQL, by what its catalogs and statistics tell every role."""

from datetime import timedelta

from adapters.postgres.database import Database
from adapters.postgres.statements import inspection as statements
from adapters.postgres.usability import TABLES
from application.ports.inspection import (
    OLD_TRANSACTION,
    Connections,
    Inspection,
    OldTransaction,
    PreparedTransaction,
    Rights,
)

SETTINGS = ("autovacuum", "fsync", "full_page_writes", "track_counts")
"""The settings of the server that are looked at."""


class PostgresInspector:
    """Implements application.ports.inspection.Inspector."""

    def __init__(self, database: Database, application_name: str, old: timedelta = OLD_TRANSACTION) -> None:
        self._database = database
        self._application = application_name
        self._age = {"age": old}

    def __call__(self) -> Inspection:
        with self._database.transaction() as connection:
            execute = connection.execute
            rights = execute(statements.RIGHTS, {"tables": list(TABLES)}).one()
            connections = execute(statements.CONNECTIONS, {"application": self._application}).one()
            return Inspection(
                version=execute(statements.SERVER_VERSION).scalar_one(),
                rights=Rights(**rights._mapping),
                connections=Connections(**connections._mapping),
                old_transactions=[
                    OldTransaction(**row._mapping) for row in execute(statements.OLD_TRANSACTIONS, self._age)
                ],
                prepared_transactions=[
                    PreparedTransaction(**row._mapping) for row in execute(statements.PREPARED_TRANSACTIONS, self._age)
                ],
                unused_slots=execute(statements.UNUSED_SLOTS).scalars().all(),
                settings={
                    row.name: row.setting for row in execute(statements.SERVER_SETTINGS, {"names": list(SETTINGS)})
                },
            )
