"""PostgreSQL behind the ports: SQLAlchemy Core on psycopg2, set-based statements, every write fenced by its claim."""

from adapters.postgres.at_once import PostgresAtOnce
from adapters.postgres.clock import PostgresClock
from adapters.postgres.database import Database
from adapters.postgres.migrate import Migration
from adapters.postgres.wake_up import PostgresListener, PostgresNotifier
from adapters.postgres.work import PostgresStore

__all__ = [
    "Database",
    "Migration",
    "PostgresAtOnce",
    "PostgresClock",
    "PostgresListener",
    "PostgresNotifier",
    "PostgresStore",
]
