"""Limits in memory: what runs is counted from the tasks."""

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import replace

from adapters.memory.state import State
from application.limited_claims import Room
from application.ports.limits import UNLIMITED, TypeLimits
from domain.ids import NO_LANE, Lane, TypeName
from domain.limits import NO_LIMITS, Limits, Override
from domain.status import Status


class MemoryLimitRepository:
    """Implements application.ports.limits.LimitRepository."""

    def __init__(self, state: State) -> None:
        self._state = state

    def set(self, type: TypeName, override: Override) -> None:
        self._state.overrides[type] = override

    def remove(self, type: TypeName) -> None:
        self._state.overrides.pop(type, None)
        forget_starts(self._state)

    def assign_lanes(self, limit: int) -> int:
        limited = limited_types(self._state)
        types = {type for type in limited if _limits(self._state, type).lane}
        tasks = [row.task for row in self._state.rows.values() if row.task.type in types and row.task.lane is None]
        without = [task for task in tasks if task.status is Status.WAITING][:limit]
        for task in without:
            self._state.put_task(replace(task, lane=NO_LANE))
        return len(without)


def limited_types(state: State) -> Set[TypeName]:
    """Return the types that have limits."""
    return {name for name, type in state.types.items() if type.limits != NO_LIMITS} | state.overrides.keys()


def forget_starts(state: State) -> None:
    """Forget what has started of types that have no limits any more."""
    limited = limited_types(state)
    state.next_starts = {type: next_start for type, next_start in state.next_starts.items() if type in limited}
    state.last_lanes = {pair: lane for pair, lane in state.last_lanes.items() if pair[0] in limited}


def limits_of(state: State, type: TypeName) -> TypeLimits:
    """Return the limits of a type as they stand."""
    if type not in limited_types(state):
        return UNLIMITED
    return TypeLimits(
        _limits(state, type), state.overrides.get(type), _running(state, type), state.next_starts.get(type)
    )


def room_of(state: State, type: TypeName) -> Room:
    """Return the room of a limited type."""
    last_lanes = {priority: lane for (of, priority), lane in state.last_lanes.items() if of == type}
    return Room(_limits(state, type), _running(state, type), state.next_starts.get(type), state.now(), last_lanes)


def _limits(state: State, type: TypeName) -> Limits:
    declared = state.types[type].limits if type in state.types else NO_LIMITS
    override = state.overrides.get(type)
    return override.over(declared) if override else declared


def _running(state: State, type: TypeName) -> Mapping[Lane | None, int]:
    tasks = (row.task for row in state.rows.values())
    return Counter(task.lane for task in tasks if task.type == type and task.status is Status.RUNNING)
