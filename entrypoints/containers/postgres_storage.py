"""PostgreSQL as the storage."""

from adapters.postgres import (
    Database,
    Migration,
    PostgresAutocommitStore,
    PostgresClock,
    PostgresListener,
    PostgresNotifier,
    PostgresPendingWork,
    PostgresStore,
)
from entrypoints.containers.injector import containers, providers
from entrypoints.containers.resource import resource
from entrypoints.settings import Settings


class PostgresStorage(containers.DeclarativeContainer):
    """One database by its address. Nothing connects before it is used."""

    settings = providers.Dependency(instance_of=Settings)

    database = resource(Database, settings.provided.required_database_url, "flask-tasks", settings.provided.connections)
    store = providers.Singleton(PostgresStore, database)
    begin = store.provided.begin
    autocommit = providers.Singleton(PostgresAutocommitStore, database)
    pending = providers.Singleton(PostgresPendingWork, database)
    clock = resource(PostgresClock, database)
    notifier = resource(PostgresNotifier, database)
    listener = resource(PostgresListener, database)
    migrate = providers.Singleton(Migration, database)
    ping = migrate.provided.check
