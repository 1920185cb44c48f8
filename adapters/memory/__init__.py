"""The storage in the memory of one process: the executable specification of every other adapter."""

from adapters.memory.autocommit import MemoryAutocommitStore
from adapters.memory.inspection import MemoryInspector
from adapters.memory.pending_work import MemoryPendingWork
from adapters.memory.unit_of_work import MemoryStore
from adapters.memory.wake_up import MemoryWakeUp

__all__ = ["MemoryAutocommitStore", "MemoryInspector", "MemoryPendingWork", "MemoryStore", "MemoryWakeUp"]
