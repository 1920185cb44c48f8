"""Published types in memory."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime

from adapters.memory.state import LivingHandler, State
from application.ports.published_types import DEAD_HANDLER_RETENTION, PublishedType
from domain.ids import HandlerId, TypeName
from domain.task_type import TaskType


class MemoryPublishedTypes:
    """Implements application.ports.published_types.PublishedTypes."""

    def __init__(self, state: State) -> None:
        self._state = state

    def publish(
        self,
        handler: HandlerId,
        types: Sequence[TaskType],
        until: datetime,
        process: str | None = None,
        lease: float | None = None,
    ) -> Set[TypeName]:
        self._state.types |= {type.name: replace(type, schedule=None) for type in types}
        self._state.handlers[handler] = LivingHandler(until, {type.name: type.schema for type in types}, process, lease)
        return set()

    def renew(self, handler: HandlerId, until: datetime) -> bool:
        known = self._state.handlers.get(handler)
        if known:
            self._state.handlers[handler] = replace(known, until=until)
        return known is not None

    def withdraw(self, handler: HandlerId) -> None:
        self._state.handlers.pop(handler, None)

    def processes(self) -> Mapping[HandlerId, str]:
        return {id: handler.process for id, handler in self._state.handlers.items() if handler.process is not None}

    def forget_dead(self, now: datetime) -> int:
        dead = [id for id, handler in self._state.handlers.items() if handler.until <= now - DEAD_HANDLER_RETENTION]
        for id in dead:
            del self._state.handlers[id]
        return len(dead)

    def schemas_elsewhere(self, type: TypeName, handler: HandlerId, now: datetime) -> Set[str]:
        others = (each for id, each in self._state.handlers.items() if id != handler and each.until > now)
        return {each.types[type] for each in others if type in each.types}

    def all(self, now: datetime) -> Sequence[PublishedType]:
        live = {name for each in self._state.handlers.values() if each.until > now for name in each.types}
        return [self._published(type, name in live) for name, type in sorted(self._state.types.items())]

    def _published(self, type: TaskType, is_live: bool) -> PublishedType:
        recurrence = self._state.schedules.get(type.name)
        if recurrence is None:
            return PublishedType(type, is_live)
        next = recurrence.next if recurrence.abandoned is None else None
        return PublishedType(replace(type, schedule=recurrence.schedule), is_live, next)
