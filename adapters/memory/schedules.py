"""Schedules in memory."""

from collections.abc import Collection, Sequence, Set
from dataclasses import replace
from datetime import datetime

from adapters.memory.state import State
from domain.ids import TaskId, TypeName
from domain.schedule import ABANDONED_RETENTION, Recurrence
from domain.status import Status


class MemorySchedules:
    """Implements application.ports.schedules.Schedules."""

    def __init__(self, state: State) -> None:
        self._state = state

    def types(self) -> Set[TypeName]:
        return {*self._state.schedules}

    def lock(self) -> Sequence[Recurrence]:
        return [each for _, each in sorted(self._state.schedules.items())]

    def due(self, now: datetime) -> Sequence[Recurrence]:
        return [each for each in self.lock() if each.abandoned is None and each.next <= now]

    def save(self, recurrences: Sequence[Recurrence]) -> None:
        self._state.schedules |= {each.type: each for each in recurrences}

    def remove(self, types: Collection[TypeName]) -> None:
        for type in types:
            self._state.schedules.pop(type, None)

    def review(self, now: datetime) -> None:
        known = {type for handler in self._state.handlers.values() for type in handler.types}
        self.remove([each.type for each in self.lock() if _is_forgotten(each, now) and each.type not in known])
        living = [handler.types for handler in self._state.handlers.values() if handler.until > now]
        for each in self.lock():
            is_had = any(each.type in types for types in living)
            if living and each.omitted and is_had != (each.abandoned is None):
                self.save([replace(each, abandoned=None if is_had else now)])

    def waiting(self, types: Collection[TypeName], now: datetime) -> Set[TypeName]:
        return {type for type in types if self._waits(self._state.schedules[type].last_task, now)}

    def next_after(self, now: datetime) -> datetime | None:
        return min((each.next for each in self.lock() if each.abandoned is None and each.next > now), default=None)

    def _waits(self, id: TaskId | None, now: datetime) -> bool:
        row = self._state.rows.get(id) if id else None
        return row is not None and row.task.status is Status.WAITING and row.task.expire > now


def _is_forgotten(recurrence: Recurrence, now: datetime) -> bool:
    return recurrence.abandoned is not None and recurrence.abandoned <= now - ABANDONED_RETENTION
