"""Limits in PostgreSQL: one row for each limited type, which claims lock."""

import json
import logging
from collections.abc import Collection, Mapping, Sequence, Set
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from adapters.postgres import statements
from adapters.postgres.arrays import array
from adapters.postgres.driver_errors import reason
from adapters.postgres.savepoint import savepoint
from application.errors import StorageConflict
from application.isolation import isolate, log_once
from application.ports.limits import UNLIMITED, TypeLimits
from domain.errors import InvalidOption
from domain.ids import Lane, TaskId, TypeName
from domain.limits import DECLARABLE, NO_LIMITS, Limits, Override, declared
from domain.task_type import TaskType

log = logging.getLogger(__name__)


class PostgresLimitRepository:
    """Implements application.ports.limits.LimitRepository."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def set(self, type: TypeName, override: Override) -> None:
        self._connection.execute(statements.LIMITS_LOCK_TIMEOUT)
        self._connection.execute(statements.SET_OVERRIDE, {"type": type, "override": json.dumps(dict(override.limits))})

    def remove(self, type: TypeName) -> None:
        self._connection.execute(statements.LIMITS_LOCK_TIMEOUT)
        self._connection.execute(statements.REMOVE_OVERRIDE, {"type": type})
        self._connection.execute(statements.DELETE_EMPTY_LIMITS, {"types": array([type])})

    def assign_lanes(self, limit: int) -> int:
        limits = self._connection.execute(statements.ALL_LIMITS).all()
        types = [row.type for row in limits if limits_of(row).lane]
        if not types:
            return 0
        chosen = {"types": array(types), "most": limit}
        without = self._connection.execute(statements.LOCK_WITHOUT_LANE, chosen).scalars().all()
        return len(isolate(without, self._assign, _leave))

    def _assign(self, tasks: Sequence[TaskId]) -> Sequence[TaskId]:
        with savepoint(self._connection):
            return self._connection.execute(statements.ASSIGN_LANES, {"ids": list(tasks)}).scalars().all()


def _leave(task: TaskId, error: Exception) -> Sequence[TaskId]:
    log_once(log, f"task {task} cannot be assigned to a lane: {reason(error)}", error, task=task)
    return []


def publish(connection: Connection, types: Sequence[TaskType]) -> Set[TypeName]:
    """Store the limits that the types declare, in place of those that were declared before.

    Return the names of the types whose limits may be locked. Where there are any, no limits have changed.
    """
    columns = {
        "types": array(type.name for type in types),
        "declared": array(json.dumps(declared(type.limits)) for type in types),
    }
    try:
        with savepoint(connection):
            connection.execute(statements.PUBLISH_LIMITS, columns)
            connection.execute(statements.DELETE_EMPTY_LIMITS, {"types": columns["types"]})
    except StorageConflict:
        limited = {row.type for row in connection.execute(statements.LIMITED_TYPES)}
        return {type.name for type in types if type.limits != NO_LIMITS or type.name in limited}
    return set()


def forget(connection: Connection, types: Collection[TypeName]) -> None:
    """Delete the declared limits of types that are forgotten. An override stands."""
    if types:
        connection.execute(statements.FORGET_LIMITS, {"types": array(types)})


def limits_of(row: Any) -> Limits:
    """Return the limits that hold by a row with the columns `declared` and `override`."""
    override = override_of(row)
    base = declared_of(row)
    return override.over(base) if override else base


def declared_of(row: Any) -> Limits:
    """Return the limits that a row says were declared; none where an administrator has written something else."""
    return _declared(row.declared)


def override_of(row: Any) -> Override | None:
    """Return the override of a row; None where there is none, or an administrator has written something else."""
    return _override(row.override)


def last_lanes_of(row: Any) -> Mapping[int, Lane]:
    """Return the lane whose turn it was last of each priority; none where an administrator has written another text."""
    try:
        return {int(priority): Lane(str(lane)) for priority, lane in _object(row.last_lanes).items()}
    except (ValueError, RecursionError):
        return {}


def type_limits(row: Any) -> TypeLimits:
    """Return the limits of a row that has `running` and `next_start` as well; `declared` is NULL without limits."""
    if row.declared is None:
        return UNLIMITED
    return TypeLimits(limits_of(row), override_of(row), dict(row.running), row.next_start)


# Cached, as the limits are read with each claim.
@lru_cache(maxsize=1_000)
def _declared(text: str) -> Limits:
    try:
        return Limits(**{name: value for name, value in _object(text).items() if name in DECLARABLE})
    except (ValueError, RecursionError, InvalidOption) as error:
        log_once(log, f"declared limits count as none, since they cannot be read: {error}")
        return NO_LIMITS


@lru_cache(maxsize=1_000)
def _override(text: str | None) -> Override | None:
    try:
        return None if text is None else Override(_object(text))
    except (ValueError, RecursionError, InvalidOption) as error:
        log_once(log, f"limits that were set count as none, since they cannot be read: {error}")
        return None


def _object(text: str) -> Mapping[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"{text[:100]} is no JSON object")
    return found
