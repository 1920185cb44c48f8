"""The schedule of a type, and how publications change it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.ids import TaskId, TypeName

ABANDONED_RETENTION = timedelta(hours=1)
"""The time for which an abandoned schedule keeps its next tick for a handler that has the type again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The five fields of a crontab, and the IANA name of the time zone in which they are read."""

    every: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """The schedule of a type and its next tick, which stays due until it has become a task.

    `omitted`: a later publication of a handler lacks the type.
    `abandoned`: since when no live handler has the type while others live; it does not tick then.
    `last_task`: the task that the last tick became; None if none did.
    `skipped`: the number of ticks that were skipped.
    """

    type: TypeName
    schedule: Schedule
    next: datetime
    omitted: bool = False
    abandoned: datetime | None = None
    last_task: TaskId | None = None
    skipped: int = 0

    def published(self, schedule: Schedule, now: datetime, first: datetime) -> "Recurrence":
        """The recurrence after a publication with this schedule, whose first tick after now is `first`.

        A tick that is due stays due, so that no publication takes one away. A recurrence that has been abandoned for
        ABANDONED_RETENTION begins anew.
        """
        if self.abandoned is not None and self.abandoned <= now - ABANDONED_RETENTION:
            return Recurrence(type=self.type, schedule=schedule, next=first)
        is_kept = schedule == self.schedule or self.next <= now
        return replace(self, schedule=schedule, next=self.next if is_kept else first, omitted=False, abandoned=None)

    def left_out(self) -> "Recurrence":
        """The recurrence after a publication that lacks the type."""
        return replace(self, omitted=True)

    def ticked(self, next: datetime, task: TaskId) -> "Recurrence":
        """The recurrence after its due ticks have become one task."""
        return replace(self, next=next, last_task=task)

    def skipped_to(self, next: datetime) -> "Recurrence":
        """The recurrence after its due ticks, which count as one, were skipped."""
        return replace(self, next=next, skipped=self.skipped + 1)
