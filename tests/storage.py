"""Both ways into one storage, as a container hands them to the application."""

from dataclasses import dataclass

from adapters.memory import MemoryAutocommitStore, MemoryPendingWork, MemoryStore
from adapters.postgres import Database, PostgresAutocommitStore, PostgresPendingWork, PostgresStore
from application.ports.autocommit import AutocommitStore
from application.ports.pending_work import PendingWork
from application.ports.unit_of_work import Begin


@dataclass(frozen=True, slots=True)
class Storage:
    """Units of work, and operations that commit themselves, over the same tasks."""

    begin: Begin
    autocommit: AutocommitStore
    pending: PendingWork


def in_memory(store: MemoryStore) -> Storage:
    """Return both ways into a memory store."""
    return Storage(store.begin, MemoryAutocommitStore(store.begin), MemoryPendingWork(store.begin))


def in_postgres(database: Database) -> Storage:
    """Return both ways into a database."""
    return Storage(PostgresStore(database).begin, PostgresAutocommitStore(database), PostgresPendingWork(database))
