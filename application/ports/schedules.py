"""Schedules: the recurrences of types. At most one for each type that was ever published."""

from collections.abc import Collection, Sequence, Set
from datetime import datetime
from typing import Protocol

from domain.ids import TypeName
from domain.schedule import Recurrence


class Schedules(Protocol):
    """Changed by handlers that publish, and by janitors. Both skip locked rows."""

    def types(self) -> Set[TypeName]:
        """The types that have a recurrence, locked or not."""
        ...

    def lock(self) -> Sequence[Recurrence]:
        """The recurrences that are not locked, in the order of types, locked until the unit of work ends."""
        ...

    def due(self, now: datetime) -> Sequence[Recurrence]:
        """The due recurrences that are not abandoned, in the order of types, locked until the unit of work ends."""
        ...

    def save(self, recurrences: Sequence[Recurrence]) -> None:
        """Before: locked by this unit of work or unknown, of published types. After: as given."""
        ...

    def remove(self, types: Collection[TypeName]) -> None:
        """Before: locked by this unit of work. After: unknown."""
        ...

    def review(self, now: datetime) -> None:
        """After: an omitted recurrence is abandoned if no live handler has its type while others live.

        An abandoned one is not so any more if a live handler has its type again. One that was abandoned for
        ABANDONED_RETENTION is unknown, unless a known handler, which might come back to life, has its type.
        """
        ...

    def waiting(self, types: Collection[TypeName], now: datetime) -> Set[TypeName]:
        """Those of the types whose `last_task` waits and has not expired."""
        ...

    def next_after(self, now: datetime) -> datetime | None:
        """The first tick later than now of the recurrences that are not abandoned; None if there is none."""
        ...
