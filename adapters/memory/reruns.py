"""Reruns in memory."""

from collections.abc import Sequence

from adapters.memory.state import State
from domain.ids import TaskId


class MemoryReruns:
    """Implements application.ports.reruns.Reruns."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, task: TaskId, origin: TaskId) -> None:
        self._state.origins[task] = origin

    def origin(self, task: TaskId) -> TaskId | None:
        return self._state.origins.get(task)

    def of(self, origin: TaskId, limit: int) -> Sequence[TaskId]:
        return sorted((task for task, of in self._state.origins.items() if of == origin), reverse=True)[:limit]
