"""PostgreSQL as the storage."""

from adapters.postgres import (
    Database,
    Migration,
    PostgresAutocommitStore,
    PostgresClock,
    PostgresInspector,
    PostgresListener,
    PostgresNotifier,
    PostgresPendingWork,
    PostgresStore,
)
from entrypoints.containers.injector import containers, providers
from entrypoints.containers.resource import resource
from entrypoints.settings import Settings

APPLICATION_NAME = "flask-tasks"
"""The name by which the server tells the sessions of the service from others."""


class PostgresStorage(containers.DeclarativeContainer):
    """One database by its address. Nothing connects before it is used."""

    settings = providers.Dependency(instance_of=Settings)

    database = resource(
        Database, settings.provided.required_database_url, APPLICATION_NAME, settings.provided.connections
    )
    store = providers.Singleton(PostgresStore, database)
    begin = store.provided.begin
    autocommit = providers.Singleton(PostgresAutocommitStore, database)
    pending = providers.Singleton(PostgresPendingWork, database)
    clock = resource(PostgresClock, database)
    notifier = resource(PostgresNotifier, database)
    listener = resource(PostgresListener, database)
    inspector = providers.Singleton(PostgresInspector, database, APPLICATION_NAME)
    migrate = providers.Singleton(Migration, database)
    ping = migrate.provided.check
