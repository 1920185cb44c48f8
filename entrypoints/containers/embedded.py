"""The PostgreSQL server that `up` starts where no database is given."""

from pathlib import Path

from adapters.embedded_postgres import EmbeddedPostgres
from entrypoints.containers.injector import containers, providers

DATA = Path(".data")
"""The folder of its data, relative to the working directory, which run.py sets to the checkout."""


class EmbeddedContainer(containers.DeclarativeContainer):
    """Makes a server for a folder that holds its data."""

    embedded_postgres = providers.Factory(EmbeddedPostgres)
