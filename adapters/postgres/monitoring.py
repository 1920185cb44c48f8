"""Monitoring in PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row

from adapters.postgres import rows, statements
from application.ports.monitoring import (
    DEAD_JANITOR_RETENTION,
    JANITOR_SILENCE,
    HandlerRecord,
    HeldTasks,
    JanitorRecord,
    RunningTask,
)
from domain.ids import HandlerId, JanitorId, TypeName


class PostgresMonitoring:
    """Implements application.ports.monitoring.Monitoring."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def handlers(self, now: datetime, max_silent: int) -> Sequence[HandlerRecord]:
        found = self._connection.execute(statements.HANDLERS, {"now": now, "max_silent": max_silent})
        return [HandlerRecord(**row._mapping) for row in found]

    def held_tasks(self, limit: int) -> Mapping[HandlerId, HeldTasks]:
        found = self._connection.execute(statements.HELD_TASKS, {"limit": limit})
        return {handler: _held(list(of), limit) for handler, of in groupby(found, lambda row: HandlerId(row.handler))}

    def oldest_due(self, now: datetime) -> Mapping[TypeName, datetime]:
        return {TypeName(row.type): row.run_at for row in self._connection.execute(statements.OLDEST_DUE, {"now": now})}

    def janitors(self, now: datetime, max_silent: int) -> Sequence[JanitorRecord]:
        bounds = {"silent_since": now - JANITOR_SILENCE, "max_silent": max_silent}
        return [JanitorRecord(**row._mapping) for row in self._connection.execute(statements.JANITORS, bounds)]

    def renew_janitor(self, janitor: JanitorRecord) -> None:
        self._connection.execute(statements.RENEWAL_SETTINGS)
        self._connection.execute(statements.RENEW_JANITOR, asdict(janitor))

    def withdraw_janitor(self, id: JanitorId) -> None:
        self._connection.execute(statements.NO_LOCK_WAIT)
        self._connection.execute(statements.WITHDRAW_JANITOR, {"id": id})

    def forget_dead_janitors(self, now: datetime) -> int:
        before = {"before": now - DEAD_JANITOR_RETENTION}
        return len(self._connection.execute(statements.FORGET_DEAD_JANITORS, before).all())


def _held(found: Sequence[Row[Any]], limit: int) -> HeldTasks:
    """Return the tasks of one handler; its first row may be of a task that has not started, or beyond a limit of 0."""
    first = [
        RunningTask(id=row.id, type=row.type, started=row.started, progress=rows.progress_of(row.progress))
        for row in found[:limit]
        if row.started
    ]
    started: int = found[0].started_number
    return HeldTasks(first, started, found[0].number - started)
