"""Limits in memory: what runs is counted from the tasks."""

from collections.abc import Set

from adapters.memory.state import State
from application.limited_claims import Room
from application.ports.limits import UNLIMITED, TypeLimits
from domain.ids import TypeName
from domain.limits import NO_LIMITS, Limits, Override
from domain.status import Status


class MemoryLimitOverrides:
    """Implements application.ports.limits.LimitOverrides."""

    def __init__(self, state: State) -> None:
        self._state = state

    def set(self, type: TypeName, override: Override) -> None:
        self._state.overrides[type] = override

    def remove(self, type: TypeName) -> None:
        self._state.overrides.pop(type, None)
        forget_starts(self._state)


def limited_types(state: State) -> Set[TypeName]:
    """Return the types that have limits."""
    return {name for name, type in state.types.items() if type.limits != NO_LIMITS} | state.overrides.keys()


def forget_starts(state: State) -> None:
    """Forget what has started of types that have no limits any more."""
    limited = limited_types(state)
    state.next_starts = {type: next_start for type, next_start in state.next_starts.items() if type in limited}


def limits_of(state: State, type: TypeName) -> TypeLimits:
    """Return the limits of a type as they stand."""
    if type not in limited_types(state):
        return UNLIMITED
    return TypeLimits(
        _limits(state, type), state.overrides.get(type), _running(state, type), state.next_starts.get(type)
    )


def room_of(state: State, type: TypeName) -> Room:
    """Return the room of a limited type."""
    return Room(_limits(state, type), _running(state, type), state.next_starts.get(type), state.now())


def _limits(state: State, type: TypeName) -> Limits:
    declared = state.types[type].limits if type in state.types else NO_LIMITS
    override = state.overrides.get(type)
    return override.over(declared) if override else declared


def _running(state: State, type: TypeName) -> int:
    return sum(row.task.type == type and row.task.status is Status.RUNNING for row in state.rows.values())
