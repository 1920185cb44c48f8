"""Statistics in PostgreSQL. Triggers count the events."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from adapters.postgres import statements
from application.ports.statistics import EventCount, EventCounts, EventTotals
from domain.event import Event
from domain.histogram import Buckets
from domain.ids import TypeName

KNOWN_EVENTS = frozenset(map(str, Event))


class PostgresStatistics:
    """Implements application.ports.statistics.Statistics."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def counts(self, since: datetime, until: datetime, step: timedelta, type: TypeName | None = None) -> EventCounts:
        period = {"since": since, "until": until, "step_seconds": step.total_seconds(), "type": type}
        return {
            (TypeName(row.type), row.step, Event(row.event)): _count(row)
            for row in self._connection.execute(statements.EVENT_COUNTS, period)
            if row.event in KNOWN_EVENTS
        }

    def latest_buckets(self, type: TypeName, event: Event, since: datetime, number: int) -> Buckets:
        wanted = {"type": type, "event": event, "since": since, "number": number}
        found = self._connection.execute(statements.LATEST_EVENTS, wanted)
        return _latest(((row.buckets, row.numbers) for row in found), number)

    def totals(self) -> EventTotals:
        return {
            (TypeName(row.type), Event(row.event)): _count(row)
            for row in self._connection.execute(statements.EVENT_TOTALS)
            if row.event in KNOWN_EVENTS
        }

    def add_up(self, until: datetime) -> bool:
        self._connection.execute(statements.BEGIN_ADDING_UP)
        return bool(self._connection.execute(statements.ADD_UP_EVENTS, {"until": until}).scalar())

    def fold(self, since: datetime, limit: int) -> int:
        folded: int = self._connection.execute(statements.FOLD_EVENTS, {"since": since, "limit": limit}).scalar_one()
        return folded

    def forget(self, before: datetime, limit: int) -> int:
        forgotten: int = self._connection.execute(
            statements.FORGET_EVENTS, {"before": before, "limit": limit}
        ).scalar_one()
        return forgotten


def _count(row: Row[Any]) -> EventCount:
    return EventCount(row.number, dict(zip(row.buckets or (), row.numbers or (), strict=True)))


def _latest(entries: Iterable[tuple[list[int | None], list[int] | None]], number: int) -> Buckets:
    """Add up entries until there are so many events."""
    latest: Counter[int | None] = Counter()
    for buckets, numbers in entries:
        if latest.total() >= number:
            break
        for bucket, of_bucket in zip(buckets, numbers or [1] * len(buckets), strict=True):
            latest[bucket] += of_bucket
    return {bucket: of_bucket for bucket, of_bucket in latest.items() if bucket is not None}
