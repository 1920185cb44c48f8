"""The PostgreSQL server that `up` starts where no database is given."""

from adapters.embedded_postgres import EmbeddedPostgres
from entrypoints.containers.injector import containers, providers


class EmbeddedContainer(containers.DeclarativeContainer):
    """Makes a server for a folder that holds its data."""

    embedded_postgres = providers.Factory(EmbeddedPostgres)
