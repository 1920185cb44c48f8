"""Published types in PostgreSQL, and the handlers that publish them."""

import logging
from collections.abc import Sequence, Set
from dataclasses import asdict, fields, replace
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, Row

from adapters.postgres import limits, rows, statements
from adapters.postgres.driver_errors import reason
from adapters.postgres.savepoint import savepoint
from application.errors import StorageConflict
from application.isolation import isolate, log_once
from application.json.errors import NotJson, UnkeepableJson
from application.json.parsing import parse
from application.ports.monitoring import DrainRequest, HandlerInfo
from application.ports.published_types import DEAD_HANDLER_RETENTION, PublishedType
from domain.errors import InvalidOption
from domain.ids import HandlerId, TypeName
from domain.limits import NO_LIMITS
from domain.options import OPTION_NAMES, Options
from domain.schedule import Schedule
from domain.task_type import ANY_OBJECT, TaskType

log = logging.getLogger(__name__)


class PostgresPublishedTypes:
    """Implements application.ports.published_types.PublishedTypes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def publish(
        self,
        handler: HandlerId,
        types: Sequence[TaskType],
        until: datetime,
        process: str | None = None,
        lease: float | None = None,
        info: HandlerInfo | None = None,
    ) -> Set[TypeName]:
        in_order = sorted(types, key=lambda type: type.name)
        names, schemas = [type.name for type in in_order], [type.schema for type in in_order]
        lives = {"handler": handler, "until": until, "names": names, "schemas": schemas, "process": process}
        self._connection.execute(statements.PUBLISH_LOCK_TIMEOUT)
        self._connection.execute(statements.PUBLISH_HANDLER, lives | {"lease": lease} | _info(info))
        return self._publish_types(in_order) if in_order else set()

    def renew(self, handler: HandlerId, until: datetime, is_draining: bool = False) -> bool:
        self._connection.execute(statements.NO_LOCK_WAIT)
        renewal = {"handler": handler, "until": until, "is_draining": is_draining}
        return self._connection.execute(statements.RENEW_HANDLER, renewal).first() is not None

    def withdraw(self, handler: HandlerId) -> None:
        self._connection.execute(statements.NO_LOCK_WAIT)
        self._connection.execute(statements.WITHDRAW, {"handler": handler})

    def ask_to_drain(self, handler: HandlerId, request: DrainRequest) -> bool:
        asked = self._connection.execute(statements.ASK_TO_DRAIN, {"handler": handler, "request": request})
        return asked.first() is not None

    def forget_dead(self, now: datetime) -> int:
        dead = self._connection.execute(statements.DEAD, {"before": now - DEAD_HANDLER_RETENTION}).scalars().all()
        return len(isolate(dead, self._forget, _leave))

    def review(self, now: datetime) -> None:
        names = self._connection.execute(statements.LOCK_TO_REVIEW, {"now": now}).scalars().all()
        isolate(names, partial(self._review, now), _leave_type)

    def forget_abandoned(self, now: datetime, since: datetime, limit: int) -> Sequence[TypeName]:
        bounds = {"since": since, "limit": limit}
        names = self._connection.execute(statements.LOCK_ABANDONED, bounds).scalars().all()
        return isolate(names, partial(self._forget_types, now), _leave_type)

    def forget(self, name: TypeName, now: datetime) -> bool:
        self._connection.execute(statements.LOCK_TYPE, {"name": name})
        return name in self._forget_types(now, [name])

    def schemas_elsewhere(self, type: TypeName, handler: HandlerId, now: datetime) -> Set[str]:
        found = self._connection.execute(statements.SCHEMAS_ELSEWHERE, {"type": type, "handler": handler, "now": now})
        return {row.schema for row in found if _is_schema(row.schema)}

    def all(self, now: datetime) -> Sequence[PublishedType]:
        return [_known(row) for row in self._connection.execute(statements.ALL_TYPES, {"now": now})]

    def _publish_types(self, types: Sequence[TaskType]) -> Set[TypeName]:
        """Publish the types that are not locked, and return the names of the others.

        A type is published after its limits, so that no task of it can be submitted that they do not hold for.
        """
        locked = limits.publish(self._connection, types)
        free = [type for type in types if type.name not in locked]
        if not free:
            return locked
        columns = rows.columns([_published(type) for type in free])
        try:
            with savepoint(self._connection):
                return locked | {*self._connection.execute(statements.PUBLISH_TYPES, columns).scalars()}
        except StorageConflict:
            return {type.name for type in types}

    def _forget(self, handlers: Sequence[HandlerId]) -> Sequence[HandlerId]:
        with savepoint(self._connection):
            return self._connection.execute(statements.FORGET, {"ids": list(handlers)}).scalars().all()

    def _review(self, now: datetime, names: Sequence[TypeName]) -> Sequence[TypeName]:
        with savepoint(self._connection):
            self._connection.execute(statements.REVIEW_TYPES, {"names": list(names), "now": now})
        return []

    def _forget_types(self, now: datetime, names: Sequence[TypeName]) -> Sequence[TypeName]:
        with savepoint(self._connection):
            named = {"names": list(names), "now": now}
            forgotten = self._connection.execute(statements.FORGET_TYPES, named).scalars().all()
            limits.forget(self._connection, forgotten)
            return forgotten


def _leave_type(name: TypeName, error: Exception) -> Sequence[TypeName]:
    log_once(log, f"whether the type {name} is abandoned cannot be noted, or it cannot be forgotten: {reason(error)}")
    return []


def _leave(handler: HandlerId, error: Exception) -> Sequence[HandlerId]:
    log_once(log, f"the dead handler {handler} cannot be forgotten: {reason(error)}")
    return []


def _info(info: HandlerInfo | None) -> dict[str, object]:
    return asdict(info) if info else dict.fromkeys(field.name for field in fields(HandlerInfo))


def _published(type: TaskType) -> dict[str, object]:
    return {
        "name": type.name,
        "description": type.description,
        "schema": type.schema,
        "result_schema": type.result_schema,
        "retries_timeout": type.retries_timeout,
    } | {name: getattr(type.options, name) for name in OPTION_NAMES}


def _known(row: Row[Any]) -> PublishedType:
    type = TaskType(
        name=row.name,
        description=row.description,
        schema=_schema(row),
        result_schema=row.result_schema if _is_schema(row.result_schema) else None,
        options=_options(row),
        retries_timeout=row.retries_timeout,
        schedule=Schedule(every=row.every, timezone=row.timezone) if row.every else None,
        limits=NO_LIMITS if row.declared is None else limits.declared_of(row),
    )
    abandoned = row.abandoned_unless_live and not row.live
    return PublishedType(type, row.live, row.next, abandoned, row.changed, limits.type_limits(row), row.skipped or 0)


def _schema(row: Row[Any]) -> str:
    """Return the schema of a row; the one of any object where an administrator has written what is no schema."""
    if _is_schema(row.schema):
        return str(row.schema)
    log_once(log, f"type {row.name} takes any object: its schema is no JSON object")
    return ANY_OBJECT


@lru_cache(maxsize=1_000)
def _is_schema(text: str | None) -> bool:
    """Whether the text is a schema by its form. Cached, as the types are read each second."""
    try:
        return text is not None and isinstance(parse(text), dict | bool)
    except (NotJson, UnkeepableJson):
        return False


def _options(row: Row[Any]) -> Options:
    """Return the options of a row; the default of each that an administrator has set beyond its limits."""
    options = Options()
    for name in OPTION_NAMES:
        try:
            options = replace(options, **{name: getattr(row, name)})
        except InvalidOption as error:
            log_once(log, f"type {row.name} has the default instead: {error}")
    return options
