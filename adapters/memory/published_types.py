"""Published types in memory."""

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import datetime

from adapters.memory.limits import forget_starts, limits_of
from adapters.memory.state import LivingHandler, State
from application.ports.monitoring import DrainRequest, HandlerInfo
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
        info: HandlerInfo | None = None,
    ) -> Set[TypeName]:
        for type in types:
            before = self._state.types.get(type.name)
            if before and before.schema != type.schema:
                self._state.changed[type.name] = self._state.now()
        self._state.types |= {type.name: replace(type, schedule=None) for type in types}
        for type in types:
            self._state.abandoned.pop(type.name, None)
        schemas = {type.name: type.schema for type in types}
        known = self._state.handlers.get(handler)
        request = known.drain_request if known else None
        self._state.handlers[handler] = LivingHandler(until, schemas, process, lease, info, drain_request=request)
        forget_starts(self._state)
        return set()

    def renew(self, handler: HandlerId, until: datetime, is_draining: bool = False) -> bool:
        known = self._state.handlers.get(handler)
        if known:
            self._state.handlers[handler] = replace(known, until=until, is_draining=is_draining)
        return known is not None

    def ask_to_drain(self, handler: HandlerId, request: DrainRequest) -> bool:
        known = self._state.handlers.get(handler)
        if known:
            self._state.handlers[handler] = replace(known, drain_request=request)
        return known is not None

    def withdraw(self, handler: HandlerId) -> None:
        self._state.handlers.pop(handler, None)

    def forget_dead(self, now: datetime) -> int:
        dead = [id for id, handler in self._state.handlers.items() if handler.until <= now - DEAD_HANDLER_RETENTION]
        for id in dead:
            del self._state.handlers[id]
        return len(dead)

    def review(self, now: datetime) -> None:
        if self._lives_any(now):
            abandoned = self._state.types.keys() - self._live(now)
            self._state.abandoned = {name: self._state.abandoned.get(name, now) for name in abandoned}

    def forget_abandoned(self, now: datetime, since: datetime, limit: int) -> Sequence[TypeName]:
        used = self._used(now)
        abandoned = sorted(name for name, at in self._state.abandoned.items() if at <= since and name not in used)
        for name in abandoned[:limit]:
            self._forget(name)
        return abandoned[:limit]

    def forget(self, name: TypeName, now: datetime) -> bool:
        if name not in self._state.types or name in self._used(now):
            return False
        self._forget(name)
        return True

    def schemas_elsewhere(self, type: TypeName, handler: HandlerId, now: datetime) -> Set[str]:
        others = (each for id, each in self._state.handlers.items() if id != handler and each.until > now)
        return {each.types[type] for each in others if type in each.types}

    def all(self, now: datetime) -> Sequence[PublishedType]:
        live = self._live(now)
        abandoned = self._state.types.keys() - live if self._lives_any(now) else self._state.abandoned.keys()
        return [
            PublishedType(
                self._with_schedule(type),
                name in live,
                self._next(name),
                name in abandoned,
                self._state.changed.get(name),
                limits_of(self._state, name),
                self._skipped(name),
            )
            for name, type in sorted(self._state.types.items())
        ]

    def _lives_any(self, now: datetime) -> bool:
        return any(each.until > now for each in self._state.handlers.values())

    def _used(self, now: datetime) -> Set[TypeName]:
        """The types that a live handler or a task has."""
        return self._live(now) | {row.task.type for row in self._state.rows.values()}

    def _live(self, now: datetime) -> Set[TypeName]:
        """The types of the live handlers."""
        return {name for each in self._state.handlers.values() if each.until > now for name in each.types}

    def _forget(self, name: TypeName) -> None:
        del self._state.types[name]
        self._state.abandoned.pop(name, None)
        forget_starts(self._state)
        self._state.schedules.pop(name, None)
        self._state.changed.pop(name, None)
        for id in [id for id, handler in self._state.handlers.items() if name in handler.types]:
            del self._state.handlers[id]

    def _with_schedule(self, type: TaskType) -> TaskType:
        recurrence = self._state.schedules.get(type.name)
        return replace(type, schedule=recurrence.schedule) if recurrence else type

    def _skipped(self, name: TypeName) -> int:
        recurrence = self._state.schedules.get(name)
        return recurrence.skipped if recurrence else 0

    def _next(self, name: TypeName) -> datetime | None:
        recurrence = self._state.schedules.get(name)
        return recurrence.next if recurrence and recurrence.abandoned is None else None
