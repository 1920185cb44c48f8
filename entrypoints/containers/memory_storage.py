"""Memory as the storage: one process, nothing kept beyond its end. For tests, and to try the service out."""

from adapters.clocks import SystemClock
from adapters.memory import MemoryAutocommitStore, MemoryInspector, MemoryPendingWork, MemoryStore, MemoryWakeUp
from entrypoints.containers.injector import containers, providers


class MemoryStorage(containers.DeclarativeContainer):
    """The executable specification behind the same names as PostgresStorage."""

    store = providers.Singleton(MemoryStore)
    begin = store.provided.begin
    autocommit = providers.Singleton(MemoryAutocommitStore, begin)
    pending = providers.Singleton(MemoryPendingWork, begin)
    clock = providers.Singleton(SystemClock)
    inspector = providers.Singleton(MemoryInspector)
    wake_up = providers.Singleton(MemoryWakeUp)
    notifier = wake_up.provided
    listener = wake_up.provided
    ping = begin  # the same provider: a storage that is taken away answers no ping either
