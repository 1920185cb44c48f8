"""An embedded PostgreSQL server, for machines without a database: standard library only."""

from adapters.embedded_postgres.errors import EmbeddedPostgresError
from adapters.embedded_postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
