"""When tasks of a type recur, and what publications of the type make of that."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.ids import TypeName

ABANDONED_RETENTION = timedelta(hours=1)
"""How long a schedule that was abandoned can be taken up again as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The five fields of a crontab, in the time of a zone by its IANA name."""

    every: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """The schedule of a type, and its next tick, which is due from then on until it has become a task.

    `omitted` says that a handler was published since then which lacks the type. `abandoned` is since when no handler
    that lives has it any more, though others live: it does not tick then.
    """

    type: TypeName
    schedule: Schedule
    next: datetime
    omitted: bool = False
    abandoned: datetime | None = None

    def published(self, schedule: Schedule, now: datetime, first: datetime) -> "Recurrence":
        """As a publication has it that has this schedule, whose first tick after now is `first`.

        A tick that is due stays due: who publishes in that moment takes nothing away.
        """
        if self.abandoned is not None and self.abandoned <= now - ABANDONED_RETENTION:
            return Recurrence(type=self.type, schedule=schedule, next=first)
        is_kept = schedule == self.schedule or self.next <= now
        return replace(self, schedule=schedule, next=self.next if is_kept else first, omitted=False, abandoned=None)

    def left_out(self) -> "Recurrence":
        """As a publication leaves it that lacks the type."""
        return replace(self, omitted=True)

    def ticked(self, next: datetime) -> "Recurrence":
        """After the ticks that were due have become one task."""
        return replace(self, next=next)
