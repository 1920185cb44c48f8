"""Schedules in PostgreSQL, one for each type that recurs."""

from collections.abc import Collection, Sequence, Set
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from adapters.postgres import rows, statements
from domain.ids import TypeName
from domain.schedule import ABANDONED_RETENTION, Recurrence, Schedule


class PostgresSchedules:
    """Implements application.ports.schedules.Schedules."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def types(self) -> Set[TypeName]:
        return {TypeName(row.type) for row in self._connection.execute(statements.SCHEDULED_TYPES)}

    def lock(self) -> Sequence[Recurrence]:
        return [_recurrence(row) for row in self._connection.execute(statements.LOCK_SCHEDULES)]

    def due(self, now: datetime) -> Sequence[Recurrence]:
        return [_recurrence(row) for row in self._connection.execute(statements.DUE_SCHEDULES, {"now": now})]

    def save(self, recurrences: Sequence[Recurrence]) -> None:
        if recurrences:
            in_order = sorted(recurrences, key=lambda each: each.type)
            self._connection.execute(statements.SAVE_SCHEDULES, rows.columns([_saved(each) for each in in_order]))

    def remove(self, types: Collection[TypeName]) -> None:
        if types:
            self._connection.execute(statements.REMOVE_SCHEDULES, {"types": list(types)})

    def review(self, now: datetime) -> None:
        self._connection.execute(
            statements.REVIEW_SCHEDULES, {"now": now, "abandoned_before": now - ABANDONED_RETENTION}
        )

    def waiting(self, types: Collection[TypeName], now: datetime) -> Set[TypeName]:
        found = self._connection.execute(statements.WAITING_TICKS, {"types": list(types), "now": now})
        return {TypeName(row.type) for row in found}

    def next_after(self, now: datetime) -> datetime | None:
        found: datetime | None = self._connection.execute(statements.NEXT_AFTER, {"now": now}).scalar()
        return found


def _saved(recurrence: Recurrence) -> dict[str, object]:
    return {
        "type": recurrence.type,
        "every": recurrence.schedule.every,
        "timezone": recurrence.schedule.timezone,
        "next": recurrence.next,
        "omitted": recurrence.omitted,
        "abandoned": recurrence.abandoned,
        "last_task": recurrence.last_task,
        "skipped": recurrence.skipped,
    }


def _recurrence(row: Row[Any]) -> Recurrence:
    return Recurrence(
        type=TypeName(row.type),
        schedule=Schedule(every=row.every, timezone=row.timezone),
        next=row.next,
        omitted=row.omitted,
        abandoned=row.abandoned,
        last_task=row.last_task,
        skipped=row.skipped,
    )
