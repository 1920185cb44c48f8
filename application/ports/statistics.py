"""Statistics: how many events of each kind there were in each minute, with histograms of their durations.

The storage counts each event in the minute in which it was stored, by its own clock. Nothing is read from the tasks, so
the counts outlive them. The totals of all events outlive the counts by minute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.event import Event
from domain.histogram import Buckets
from domain.ids import TypeName

MINUTE = timedelta(minutes=1)
RETENTION = timedelta(days=14)
"""Time for which events are counted, however long tasks are kept."""


@dataclass(frozen=True, slots=True)
class EventCount:
    """The number of events of one kind, and how many of their durations are in each bucket.

    Events without a duration are in no bucket.
    """

    number: int
    buckets: Buckets


EventCounts = Mapping[tuple[TypeName, int, Event], EventCount]
"""Counts by type, step and event. Counts of zero are left out."""

EventTotals = Mapping[tuple[TypeName, Event], EventCount]
"""Counts of all events ever, by type and event. Counts of zero are left out."""


class Statistics(Protocol):
    """Reads the counts of events, by an index on their minutes, and keeps them few."""

    def counts(self, since: datetime, until: datetime, step: timedelta, type: TypeName | None = None) -> EventCounts:
        """The events from `since` on and before `until`, by steps that are numbered from 0.

        `since`, `until` and `step` are whole minutes. None as the type stands for all.
        """
        ...

    def latest_buckets(self, type: TypeName, event: Event, since: datetime, number: int) -> Buckets:
        """The durations of the latest events: of at least that number, if there are as many from `since` on.

        They are read minute by minute, so that there may be some more.
        """
        ...

    def totals(self) -> EventTotals:
        """All events ever, those that are forgotten included. No number ever falls."""
        ...

    def add_up(self, until: datetime) -> bool:
        """After: the counts of a period before `until`, a whole minute, are added up, so that totals are read quickly.

        Whether there is more to add up. Events that are stored for a minute after it was added up are in no total.
        """
        ...

    def fold(self, since: datetime, limit: int) -> int:
        """After: entries of one type, minute and event from `since` on are one entry, but for locked ones.

        Returns the number of merged entries. After a full batch there may be more to merge.
        """
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """After: events before that moment are counted in the totals alone, but for locked entries.

        Events that are not added up yet are kept. Returns the number of deleted entries. After a full batch there may
        be more to delete.
        """
        ...
