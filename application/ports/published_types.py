"""Published types: the types that handlers can run."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.ids import HandlerId, TypeName
from domain.task_type import TaskType


@dataclass(frozen=True, slots=True)
class PublishedType:
    """A type as it was last published.

    `live`: whether a live handler can run it.
    `next`: its next tick; None if it has no schedule, or an abandoned one.
    """

    type: TaskType
    live: bool
    next: datetime | None = None


DEAD_HANDLER_RETENTION = timedelta(days=1)
"""The time for which a dead handler is still known."""


class PublishedTypes(Protocol):
    """All types that were ever published, and the handlers that published them. Types outlive their handlers."""

    def publish(
        self,
        handler: HandlerId,
        types: Sequence[TaskType],
        until: datetime,
        process: str | None = None,
        lease: float | None = None,
    ) -> Set[TypeName]:
        """Publish types, and return the names of those that another transaction has locked: they are as before.

        After: the handler lives until then with exactly these types, which replace older ones of the same names.

        Schedules are not written here, but by Schedules. `process` is the name of the handler's process, if it has
        one, by which others on its machine see that it has ended. `lease` is the seconds of its leases.

        Raises StorageConflict, soon: the record of the handler is locked.
        """
        ...

    def renew(self, handler: HandlerId, until: datetime) -> bool:
        """Before: published. After: the handler lives until then. False, and no change, if it is unknown.

        Raises StorageConflict, at once: the record is locked. Nothing has changed then.
        """
        ...

    def withdraw(self, handler: HandlerId) -> None:
        """After: the handler is unknown, unless its record is locked; its types are still known.

        Raises StorageConflict, at once: the records of all handlers are locked.
        """
        ...

    def processes(self) -> Mapping[HandlerId, str]:
        """The names of the processes of all known handlers that have published one, alive or dead."""
        ...

    def forget_dead(self, now: datetime) -> int:
        """After: handlers that died DEAD_HANDLER_RETENTION ago or earlier are unknown, but for locked records.

        Returns their number.
        """
        ...

    def schemas_elsewhere(self, type: TypeName, handler: HandlerId, now: datetime) -> Set[str]:
        """The schemas of that type that were published by other handlers which are alive at `now`."""
        ...

    def all(self, now: datetime) -> Sequence[PublishedType]:
        """Every type that was ever published, in the order of names."""
        ...
