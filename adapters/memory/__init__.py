"""Everything in one process: the executable specification of what every other adapter does."""

from adapters.memory.at_once import MemoryAtOnce
from adapters.memory.store import MemoryStore
from adapters.memory.wake_up import MemoryWakeUp

__all__ = ["MemoryAtOnce", "MemoryStore", "MemoryWakeUp"]
