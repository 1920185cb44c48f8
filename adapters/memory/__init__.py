"""Everything in one process: the executable specification of what every other adapter does."""

from adapters.memory.autocommit import MemoryAutocommitStore
from adapters.memory.unit_of_work import MemoryStore
from adapters.memory.wake_up import MemoryWakeUp

__all__ = ["MemoryAutocommitStore", "MemoryStore", "MemoryWakeUp"]
