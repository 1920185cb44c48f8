"""PostgreSQL behind the ports: set-based SQL texts, sent by psycopg2; SQLAlchemy lends connections for transactions."""

from adapters.postgres.autocommit import PostgresAutocommitStore
from adapters.postgres.clock import PostgresClock
from adapters.postgres.database import Database
from adapters.postgres.inspection import PostgresInspector
from adapters.postgres.migrate import Migration
from adapters.postgres.pending_work import PostgresPendingWork
from adapters.postgres.unit_of_work import PostgresStore
from adapters.postgres.wake_up import PostgresListener, PostgresNotifier

__all__ = [
    "Database",
    "Migration",
    "PostgresAutocommitStore",
    "PostgresClock",
    "PostgresInspector",
    "PostgresListener",
    "PostgresNotifier",
    "PostgresPendingWork",
    "PostgresStore",
]
