"""Schedules: which types recur, and when they tick next. At most one for each type that was ever published."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from domain.ids import TypeName
from domain.schedule import Recurrence


class Schedules(Protocol):
    """Changed by those who publish, and by janitors, who skip what others have locked."""

    def lock(self) -> Sequence[Recurrence]:
        """All there are, by type, and nobody else changes them until the work ends."""
        ...

    def due(self, now: datetime) -> Sequence[Recurrence]:
        """Those whose next tick has come and that are not abandoned, by type, locked by this work. Changes nothing."""
        ...

    def save(self, recurrences: Sequence[Recurrence]) -> None:
        """Before: locked by this work, or unknown, of published types. After: as given."""
        ...

    def remove(self, types: Collection[TypeName]) -> None:
        """Before: locked by this work. After: unknown."""
        ...

    def review(self, now: datetime) -> None:
        """After: what was omitted is abandoned if no handler that lives has its type, though others live.

        It is not abandoned any more if one has it again. What was abandoned an hour ago is unknown, unless a handler
        has it which is known and might come to life.
        """
        ...

    def next_after(self, now: datetime) -> datetime | None:
        """The first tick later than now of all that are not abandoned; None if there is none."""
        ...
